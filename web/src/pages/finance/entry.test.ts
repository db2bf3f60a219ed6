import { describe, expect, it } from 'vitest';
import { entryFlaw, type EntryLine } from './entry';
import { runningBalances } from './running_balances';

const BANK = { id: 1, title: '1200 Bank' };
const line = (amountCents: number, account: EntryLine['account'] = BANK): EntryLine => ({ account, amountCents });

describe('a manual entry', () => {
  it('has two lines with account and amount that balance; blank lines do not count', () => {
    expect(entryFlaw([line(5)])?.phrase).toBe('entry.two_lines');
    expect(entryFlaw([line(5), line(-5, null)])).toEqual({ phrase: 'entry.line_account', row: 2 });
    expect(entryFlaw([line(0), line(-5)])).toEqual({ phrase: 'entry.line_amount', row: 1 });
    expect(entryFlaw([line(9), line(-5)])).toEqual({ phrase: 'entry.off_debit', cents: 4 });
    expect(entryFlaw([line(5), line(-9)])).toEqual({ phrase: 'entry.off_credit', cents: 4 });
    expect(entryFlaw([line(5), line(0, null), line(-5)])).toBeNull();
  });
});

describe('the sheet of an account', () => {
  it('says what was held after each line, from the newest down', () => {
    const lines = [{ id: 3, amountCents: 50 }, { id: 2, amountCents: -20 }, { id: 1, amountCents: 100 }];
    expect([...runningBalances(lines, 130)]).toEqual([[3, 130], [2, 80], [1, 100]]);
  });
});
