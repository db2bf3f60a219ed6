/** A manual entry as one types it. Pure. */

export interface EntryLine {
  account: { id: number; title: string } | null;
  /** Debit positive, credit negative. */
  amountCents: number;
}

export interface EntryValues {
  date: string;
  description: string;
  lines: EntryLine[];
}

/** What is missing in credit (above zero) or in debit (below) for the entry to balance. */
export const differenceOf = (lines: readonly EntryLine[]) => lines.reduce((sum, { amountCents }) => sum + amountCents, 0);

export const isBlank = ({ account, amountCents }: EntryLine) => account === null && amountCents === 0;

export interface EntryFlaw {
  phrase: 'entry.two_lines' | 'entry.line_account' | 'entry.line_amount' | 'entry.off_debit' | 'entry.off_credit';
  row?: number;
  cents?: number;
}

/** What the server would refuse, found before it is asked; null if nothing. Blank lines do not count. */
export function entryFlaw(lines: readonly EntryLine[]): EntryFlaw | null {
  if (lines.filter((line) => !isBlank(line)).length < 2) return { phrase: 'entry.two_lines' };
  for (const [index, line] of lines.entries()) {
    if (isBlank(line)) continue;
    if (line.account === null) return { phrase: 'entry.line_account', row: index + 1 };
    if (line.amountCents === 0) return { phrase: 'entry.line_amount', row: index + 1 };
  }
  const off = differenceOf(lines);
  if (off === 0) return null;
  return { phrase: off > 0 ? 'entry.off_debit' : 'entry.off_credit', cents: Math.abs(off) };
}
