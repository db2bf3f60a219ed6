/** What may be done with an invoice as it stands, as the server's rules have it. Pure. */

import type { InvoiceView } from '../../api/types';

export type Act = 'send' | 'pay' | 'refund' | 'credit' | 'cancel';

const isOpen = ({ status }: InvoiceView) => status === 'sent' || status === 'overdue';
/** Nothing has happened to it that cancelling would have to take back. */
const isUntouched = ({ paidCents, creditedCents }: InvoiceView) => paidCents === 0 && creditedCents === 0;

export const POSSIBLE: Record<Act, (invoice: InvoiceView) => boolean> = {
  send: ({ status, grossCents }) => status === 'draft' && grossCents > 0,
  pay: (invoice) => isOpen(invoice) && invoice.openCents > 0,
  refund: ({ status, refundDueCents }) => status === 'paid' && refundDueCents > 0,
  credit: (invoice) => (isOpen(invoice) || invoice.status === 'paid') && invoice.creditedCents < invoice.grossCents,
  cancel: (invoice) => invoice.status === 'draft' || (isOpen(invoice) && isUntouched(invoice)),
};

/** What is done next, most likely; null when nothing is. */
export function nextAct(invoice: InvoiceView): Act | null {
  return (['send', 'refund', 'pay'] as const).find((act) => POSSIBLE[act](invoice)) ?? null;
}
