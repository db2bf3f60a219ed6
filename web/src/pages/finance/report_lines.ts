/** Lines of a report beside those of another period. Pure. */

import type { ReportLineView } from '../../api/types';

export interface ComparedLine {
  accountId: number;
  number: string;
  name: string;
  cents: number;
  beforeCents: number;
}

/** Every account of either period once, by number. */
export function compared(now: readonly ReportLineView[], before: readonly ReportLineView[]): ComparedLine[] {
  const lines = new Map<number, ComparedLine>();
  for (const { accountId, number, name, amountCents } of now) lines.set(accountId, { accountId, number, name, cents: amountCents, beforeCents: 0 });
  for (const { accountId, number, name, amountCents } of before) {
    const line = lines.get(accountId) ?? { accountId, number, name, cents: 0, beforeCents: 0 };
    lines.set(accountId, { ...line, beforeCents: amountCents });
  }
  return [...lines.values()].sort((one, other) => (one.number < other.number ? -1 : 1));
}
