/** What differs between two states of a record, as the audit log keeps them. Pure. */

export type Member = string | number | boolean | null;

export interface Difference {
  /** Where it stands: `status`, `items.1.unitPriceCents`. */
  path: string;
  /** Undefined: it was not there. */
  before: Member | undefined;
  after: Member | undefined;
}

type State = Record<string, unknown> | null | undefined;

/** Every member of either state that is not the same in both, in the order in which the states name them. */
export function differencesOf(before: State, after: State): Difference[] {
  const old = flat(before);
  const now = flat(after);
  const paths = [...new Set([...old.keys(), ...now.keys()])];
  return paths
    .map((path) => ({ path, before: old.get(path), after: now.get(path) }))
    .filter((one) => one.before !== one.after);
}

/** The members of a state by their paths; lists and objects within it are gone through. */
function flat(state: State): Map<string, Member> {
  const members = new Map<string, Member>();
  const walk = (value: unknown, path: string) => {
    if (value !== null && typeof value === 'object') {
      const inner = Array.isArray(value) ? value.map((one, index) => [String(index + 1), one] as const) : Object.entries(value);
      for (const [name, one] of inner) walk(one, path ? `${path}.${name}` : name);
      if (inner.length === 0 && path) members.set(path, null);
    } else if (value !== undefined && path) {
      members.set(path, value as Member);
    }
  };
  walk(state ?? {}, '');
  return members;
}

/** `unitPriceCents` as words: `Unit price`; the unit that the value shows anyhow is left out. */
export function spelled(name: string): string {
  const words = name
    .replace(/Cents$/, '')
    .replace(/([a-z\d])([A-Z])/g, '$1 $2')
    .replaceAll('_', ' ')
    .toLowerCase()
    .trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

const companyHour = new Intl.DateTimeFormat('en-GB', { timeZone: 'Europe/Berlin', hour: '2-digit', hourCycle: 'h23' });

/** The instant at which a business date begins in the company (Europe/Berlin). */
export function beginOf(date: string): string {
  const midnight = new Date(`${date}T00:00:00Z`);
  const hourThere = (instant: Date) => Number(companyHour.format(instant));
  // Berlin is one hour ahead in winter and two in summer; it changes at one o'clock UTC, never at its midnight.
  const summer = new Date(midnight.getTime() - 2 * 3_600_000);
  return (hourThere(summer) === 0 ? summer : new Date(midnight.getTime() - 3_600_000)).toISOString().replace('.000Z', 'Z');
}

export function dayAfter(date: string): string {
  return new Date(Date.parse(`${date}T00:00:00Z`) + 86_400_000).toISOString().slice(0, 10);
}
