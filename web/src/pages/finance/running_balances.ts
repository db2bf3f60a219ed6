/** What an account held after each of its lines. Pure. */

interface Line {
  id: number;
  amountCents: number;
}

/** By the line's id; `lines` are the newest first, without a gap, and `closingCents` is what was held after the first. */
export function runningBalances(lines: readonly Line[], closingCents: number): ReadonlyMap<number, number> {
  const balances = new Map<number, number>();
  let cents = closingCents;
  for (const { id, amountCents } of lines) {
    balances.set(id, cents);
    cents -= amountCents;
  }
  return balances;
}
