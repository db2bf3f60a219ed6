import type { ComponentChildren } from 'preact';
import type { InvoiceView, PaymentView } from '../../api/types';
import { Day } from '../../ui/day';
import '../../words/invoices';
import { useTongue } from '../../words/tongue';
import './document.css';

/** What was paid, credited and refunded on an invoice. */
export function Movements({ invoice }: { invoice: InvoiceView }) {
  const { say, money } = useTongue();
  const { payments, creditNotes, refunds, currency } = invoice;
  const row = (key: string, day: string, what: ComponentChildren, note: string, cents: number) => (
    <tr key={key}>
      <td>
        <Day date={day} />
      </td>
      <td>{what}</td>
      <td class="said item-part">{note}</td>
      <td class="end number">{money(cents, currency)}</td>
    </tr>
  );
  const paid = (kind: 'payment' | 'refund', { id, paidOn, method, reference, amountCents }: PaymentView) =>
    row(`${kind}${id}`, paidOn, `${say(`payment.kind.${kind}`)}, ${say(`method.${method}`)}`, reference, kind === 'payment' ? amountCents : -amountCents);
  return (
    <section class="card items-card">
      <h2>{say('invoice.movements')}</h2>
      {payments.length + creditNotes.length + refunds.length === 0 ? (
        <p class="quiet">{say('invoice.movements.empty')}</p>
      ) : (
        <div class="items-scroll" tabIndex={0} role="region" aria-label={say('invoice.movements')}>
          <table class="plain-table items-table">
            <thead>
              <tr>
                <th scope="col">{say('payment.paidOn')}</th>
                <th scope="col">{say('payment.kind')}</th>
                <th scope="col" class="item-part">
                  {say('pay.reference')}
                </th>
                <th scope="col" class="end">
                  {say('payment.amount')}
                </th>
              </tr>
            </thead>
            <tbody>
              {payments.map((payment) => paid('payment', payment))}
              {creditNotes.map((note) =>
                row(`credit${note.id}`, note.issueDate, <a href={`/credit-notes/${note.id}`}>{note.number}</a>, note.reason, note.grossCents),
              )}
              {refunds.map((refund) => paid('refund', refund))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}
