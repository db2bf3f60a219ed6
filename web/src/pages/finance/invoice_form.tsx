/** The fields of a draft, for a new invoice and for one that is not sent yet. */

import { Problem } from '../../api/problem';
import { Combobox } from '../../ui/combobox';
import { TextField } from '../../ui/field';
import type { Form } from '../../ui/use_form';
import '../../words/invoices';
import { useTongue, tongue } from '../../words/tongue';
import { flawOf, type DraftValues, type Item } from './draft';
import { findCustomers } from './find_customers';
import { itemsSum } from './invoice_sums';
import { ItemsEditor } from './items_editor';
import { Totals } from './totals';

/** What each field is called. */
export function useDraftLabels(): Record<keyof DraftValues, string> {
  const { say } = useTongue();
  return { customer: say('invoice.customer'), items: say('invoice.items'), note: say('invoice.note') };
}

/** How a value stands in a conflict. */
export function useWritten(): (value: unknown) => string | null {
  const { say, money, quantity } = useTongue();
  return (value) => {
    if (Array.isArray(value)) {
      const items = value as Item[];
      const lines = items.map((item) => `${quantity(item.quantityMilli)} ${item.unit} ${item.description}`);
      return `${say('invoice.items_of', { count: items.length })}, ${money(itemsSum(items).grossCents, 'EUR')}: ${lines.join('; ')}`;
    }
    return value !== null && typeof value === 'object' && 'title' in value ? String(value.title) : null;
  };
}

/** Raises what the server would refuse, before it is asked. */
export function check(values: DraftValues): void {
  const flaw = flawOf(values, itemsSum(values.items).grossCents);
  if (!flaw) return;
  const message = tongue.peek().say(flaw.phrase, flaw.row ? { row: flaw.row } : {});
  throw new Problem(422, 'Invalid', message, '', null, { errors: [{ field: flaw.field, message }] });
}

export function DraftFields({ form }: { form: Form<DraftValues> }) {
  const { say } = useTongue();
  const { values, flawOf: flaw, set } = form;
  const wrong = flaw('customer');
  return (
    <>
      <Combobox<number>
        label={say('invoice.customer')}
        value={values.customer}
        required
        wide
        {...(wrong ? { flaw: wrong } : { hint: say('customer.choose') })}
        choose={(choice) => set('customer', choice && { id: choice.id, title: choice.title })}
        search={(text, signal) => findCustomers(text, signal, { active: true })}
      />
      <ItemsEditor items={values.items} set={(items) => set('items', items)} flaw={flaw('items')} />
      <TextField form={form} name="note" label={say('invoice.note')} hint={say('invoice.note.hint')} rows={3} maxLength={1000} wide />
      <div class="field wide">
        <Totals sum={itemsSum(values.items)} />
      </div>
    </>
  );
}
