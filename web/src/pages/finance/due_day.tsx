import type { InvoiceRow } from '../../api/types';
import { Day } from '../../ui/day';
import { companyToday } from '../../ui/periods';
import { useTongue } from '../../words/tongue';
import '../../words/invoices';
import './finance.css';
import { daysBetween } from './days';

/** When an invoice is due; one that is overdue says since how long. */
export function DueDay({ invoice }: { invoice: Pick<InvoiceRow, 'dueDate' | 'status'> }) {
  const { say } = useTongue();
  if (invoice.status !== 'overdue') return <Day date={invoice.dueDate} />;
  return (
    <span class="due-late">
      <Day date={invoice.dueDate} />
      <span class="late small">{say('invoice.days_late', { count: Math.max(1, daysBetween(invoice.dueDate, companyToday())) })}</span>
    </span>
  );
}
