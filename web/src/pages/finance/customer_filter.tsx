import { useQuery } from '../../app/router';
import { useAnswer } from '../../live/use_answer';
import { Combobox } from '../../ui/combobox';
import '../../words/invoices';
import { useTongue } from '../../words/tongue';
import './finance.css';
import { findCustomers } from './find_customers';

/** The customer in the query string (`customer`), chosen by name, number or city. */
export function CustomerFilter() {
  const { say } = useTongue();
  const [query, setQuery] = useQuery();
  const id = Number(query.get('customer')) || null;
  const answer = useAnswer('/api/customers/{customer_id}', id === null ? null : { path: { customer_id: id } });
  const title = answer.body?.data.id === id ? answer.body?.data.name : undefined;
  return (
    <Combobox<number>
      // Drawn anew once the name is known.
      key={`${id} ${title ?? ''}`}
      label={say('invoices.of_customer')}
      value={id === null ? null : { id, title: title ?? '…' }}
      choose={(choice) => setQuery({ customer: choice ? String(choice.id) : null })}
      search={(text, signal) => findCustomers(text, signal)}
    />
  );
}
