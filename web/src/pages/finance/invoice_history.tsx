import type { InvoiceView } from '../../api/types';
import { Day, Moment } from '../../ui/day';
import '../../words/invoices';
import { useTongue } from '../../words/tongue';
import './document.css';
import { historyOf } from './history';

export function InvoiceHistory({ invoice }: { invoice: InvoiceView }) {
  const { say, money } = useTongue();
  return (
    <section class="card">
      <h2>{say('invoice.history')}</h2>
      <ol class="history">
        {historyOf(invoice).map(({ kind, at, cents, number, reference }) => (
          <li key={`${kind} ${at} ${number ?? ''} ${cents ?? ''}`} data-kind={kind}>
            <span>{say(`history.${kind}`, { amount: money(cents ?? 0, invoice.currency), number: number ?? '' })}</span>
            {reference && <span class="quiet small">{reference}</span>}
            <span class="quiet small">{at.length === 10 ? <Day date={at} /> : <Moment at={at} />}</span>
          </li>
        ))}
      </ol>
    </section>
  );
}
