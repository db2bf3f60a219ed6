/** The last days of the `count` months before the one of `today` (such as `2026-03-14`), oldest first. Pure. */
export function monthEnds(today: string, count: number): string[] {
  const year = Number(today.slice(0, 4));
  const month = Number(today.slice(5, 7)) - 1;
  return Array.from({ length: count }, (_, index) =>
    new Date(Date.UTC(year, month - (count - 1 - index), 0)).toISOString().slice(0, 10),
  );
}
