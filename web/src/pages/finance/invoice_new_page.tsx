import { useState } from 'preact/hooks';
import { go, leaveFor, useQuery } from '../../app/router';
import { useAnswer } from '../../live/use_answer';
import { api } from '../../session/current';
import { Form } from '../../ui/form';
import { PageHeader } from '../../ui/page_header';
import { Skeleton } from '../../ui/skeleton';
import { toast } from '../../ui/toast';
import { useForm } from '../../ui/use_form';
import '../../words/invoices';
import { useTongue } from '../../words/tongue';
import { asInput, NEW_DRAFT, type DraftValues } from './draft';
import { check, DraftFields, useDraftLabels } from './invoice_form';

/** With `?customer=17` in the address the customer is chosen already. */
export default function InvoiceNewPage() {
  const { say } = useTongue();
  const [query] = useQuery();
  const [customerId] = useState(Number(query.get('customer')) || null);
  const answer = useAnswer('/api/customers/{customer_id}', customerId === null ? null : { path: { customer_id: customerId } });
  const customer = answer.body?.data;
  const isReady = customerId === null || customer || answer.problem;
  return (
    <div class="page">
      <PageHeader back={{ to: '/invoices', title: say('nav.invoices') }} title={say('nav.invoice.new')} />
      {isReady ? <New initial={customer?.isActive ? { ...NEW_DRAFT, customer: { id: customer.id, title: customer.name } } : NEW_DRAFT} /> : <Skeleton />}
    </div>
  );
}

function New({ initial }: { initial: DraftValues }) {
  const { say } = useTongue();
  const labels = useDraftLabels();
  const form = useForm({
    name: 'invoice.new',
    initial,
    save: async (values) => {
      check(values);
      const { data } = await api.post('/api/invoices', {
        body: { customerId: values.customer?.id ?? 0, items: asInput(values.items), note: values.note },
      });
      toast(say('invoice.saved'));
      go(`/invoices/${data.id}`, { replace: true });
    },
  });
  return (
    <Form form={form} labels={labels} onCancel={() => leaveFor('/invoices')}>
      <DraftFields form={form} />
    </Form>
  );
}
