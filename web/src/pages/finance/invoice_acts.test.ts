import { describe, expect, it } from 'vitest';
import type { InvoiceView } from '../../api/types';
import { nextAct, POSSIBLE, type Act } from './invoice_acts';

const SENT: InvoiceView = {
  id: 1, number: 'RE-2026-00001', customerId: 1, customerName: 'Muster', status: 'sent', issueDate: '2026-03-02', dueDate: '2026-03-16',
  currency: 'EUR', netCents: 100, vatCents: 19, grossCents: 119, paidCents: 0, creditedCents: 0, refundedCents: 0, version: 2, note: '',
  sentAt: null, paidAt: null, cancelledAt: null, createdAt: '2026-03-02T00:00:00Z', items: [], payments: [], creditNotes: [], refunds: [],
  openCents: 119, refundDueCents: 0,
};
const possible = (some: Partial<InvoiceView>) => {
  const invoice = { ...SENT, ...some };
  return (Object.keys(POSSIBLE) as Act[]).filter((act) => POSSIBLE[act](invoice));
};

describe('what may be done with an invoice', () => {
  it('follows its status and what has happened to it', () => {
    expect(possible({ status: 'draft', openCents: 0 })).toEqual(['send', 'cancel']);
    expect(possible({ status: 'draft', grossCents: 0, openCents: 0 })).toEqual(['cancel']);
    expect(possible({})).toEqual(['pay', 'credit', 'cancel']);
    expect(possible({ paidCents: 19, openCents: 100 })).toEqual(['pay', 'credit']);
    expect(possible({ status: 'paid', paidCents: 119, openCents: 0 })).toEqual(['credit']);
    expect(possible({ status: 'paid', paidCents: 119, creditedCents: 119, openCents: 0, refundDueCents: 119 })).toEqual(['refund']);
    expect(possible({ status: 'cancelled', openCents: 0 })).toEqual([]);
  });

  it('has one that comes next', () => {
    expect(nextAct({ ...SENT, status: 'draft' })).toBe('send');
    expect(nextAct(SENT)).toBe('pay');
    expect(nextAct({ ...SENT, status: 'paid', openCents: 0, refundDueCents: 5 })).toBe('refund');
    expect(nextAct({ ...SENT, status: 'cancelled', openCents: 0 })).toBeNull();
  });
});
