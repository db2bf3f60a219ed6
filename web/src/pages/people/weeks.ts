/** Weeks and minutes of the day. Pure. */

/** `day`, such as `2026-03-14`, moved by whole days. */
export function moved(day: string, days: number): string {
  const at = new Date(`${day}T00:00:00Z`);
  at.setUTCDate(at.getUTCDate() + days);
  return at.toISOString().slice(0, 10);
}

/** Minutes since midnight of `8`, `8:30`, `08:30`, `0830` or `8.30`; null if it is no time. 24:00 is the end of the day. */
export function minuteOf(text: string): number | null {
  const found = /^\s*(\d{1,2})(?:[:.]?(\d{2}))?\s*$/.exec(text);
  if (!found) return null;
  const minute = Number(found[1]) * 60 + Number(found[2] ?? 0);
  return Number(found[2] ?? 0) < 60 && minute <= 24 * 60 ? minute : null;
}

interface Span {
  date: string;
  startMinute: number;
  endMinute: number;
}

/** The entries of a week, a week later, but for those that would lie on one that is there or behind `today`. */
export function aWeekLater<Entry extends Span>(before: readonly Entry[], there: readonly Span[], today: string): Entry[] {
  return before
    .map((entry) => ({ ...entry, date: moved(entry.date, 7) }))
    .filter((entry) => entry.date <= today)
    .filter((entry) => !there.some((other) => other.date === entry.date && other.startMinute < entry.endMinute && entry.startMinute < other.endMinute));
}
