/** What has happened to an invoice, as its document tells it, the newest first. Pure. */

import type { InvoiceView } from '../../api/types';

export interface Event {
  kind: 'created' | 'sent' | 'due' | 'payment' | 'refund' | 'credit' | 'paid' | 'cancelled';
  /** An instant, or a business date where no more is known. */
  at: string;
  cents?: number;
  number?: string;
  reference?: string;
}

export function historyOf(invoice: InvoiceView): Event[] {
  const events: Event[] = [{ kind: 'created', at: invoice.createdAt }];
  if (invoice.sentAt) events.push({ kind: 'sent', at: invoice.sentAt, number: invoice.number ?? '' });
  if (invoice.status === 'overdue') events.push({ kind: 'due', at: invoice.dueDate });
  for (const { createdAt, amountCents, reference } of invoice.payments) events.push({ kind: 'payment', at: createdAt, cents: amountCents, reference });
  for (const { issueDate, grossCents, number, reason } of invoice.creditNotes) {
    events.push({ kind: 'credit', at: issueDate, cents: grossCents, number, reference: reason });
  }
  for (const { createdAt, amountCents, reference } of invoice.refunds) events.push({ kind: 'refund', at: createdAt, cents: amountCents, reference });
  if (invoice.paidAt) events.push({ kind: 'paid', at: invoice.paidAt });
  if (invoice.cancelledAt) events.push({ kind: 'cancelled', at: invoice.cancelledAt });
  // A day without a time counts as its end; what came later in the list is the newer of two at once.
  const rank = (at: string) => Date.parse(at.length === 10 ? `${at}T23:59:59Z` : at);
  return events.map((event, place) => ({ event, place })).sort((one, other) => rank(other.event.at) - rank(one.event.at) || other.place - one.place).map(({ event }) => event);
}
