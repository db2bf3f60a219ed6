/** What stands in a channel: messages by id, each once, and what is on its way. Pure. */

export interface Message {
  id: number;
  user: { id: number | null; name: string };
  text: string;
  at: string;
  editedAt: string | null;
  deleted: boolean;
  /** Null: it was heard by socket, which does not say it. */
  version: number | null;
}

/** A message of the API, or one that was heard: what is left out there is null or false here. */
export interface Told {
  id: number;
  user: { id: number | null; name: string };
  text: string;
  at: string;
  editedAt?: string | null;
  deleted?: boolean;
  version?: number;
}

export interface Pending {
  /** The server takes a key once, however often it is sent. */
  key: string;
  text: string;
  at: string;
  /** Why it was not taken; null while it is on its way. */
  refusal: string | null;
}

export function asMessage({ id, user, text, at, editedAt = null, deleted = false, version }: Told): Message {
  return { id, user, text, at, editedAt, deleted, version: version ?? (editedAt === null && !deleted ? 1 : null) };
}

/** `known` with `told` in it, oldest first. What was changed later wins, whichever comes first. */
export function merged(known: readonly Message[], told: readonly Told[]): Message[] {
  const byId = new Map(known.map((message) => [message.id, message]));
  for (const each of told) {
    const message = asMessage(each);
    const before = byId.get(message.id);
    if (!before || !isOlder(message, before)) byId.set(message.id, message);
  }
  return [...byId.values()].sort((one, other) => one.id - other.id);
}

function isOlder(one: Message, other: Message): boolean {
  if (one.deleted !== other.deleted) return other.deleted;
  return (one.editedAt ?? '') < (other.editedAt ?? '');
}

/** Those of `pending` that have not come back as one of our own messages by another way than their answer. */
export function stillPending(pending: readonly Pending[], messages: readonly Message[], userId: number): Pending[] {
  const own = messages.filter((message) => message.user.id === userId).map(({ text, at }) => ({ text, at: Date.parse(at), isTaken: false }));
  return pending.filter((each) => {
    // The clocks of server and browser may differ by a little.
    const landed = own.find(({ text, at, isTaken }) => !isTaken && text === each.text && at > Date.parse(each.at) - 60_000);
    if (landed && each.refusal === null) landed.isTaken = true;
    return !landed || each.refusal !== null;
  });
}

export interface Day {
  /** The local day: `2026-03-02`. */
  day: string;
  groups: Group[];
}

/** What one person said in one go. */
export interface Group {
  id: number;
  user: Message['user'];
  at: string;
  messages: Message[];
}

const ONE_GO_MS = 5 * 60_000;

export function byDay(messages: readonly Message[]): Day[] {
  const days: Day[] = [];
  for (const message of messages) {
    const day = localDay(message.at);
    let last = days.at(-1);
    if (last?.day !== day) days.push((last = { day, groups: [] }));
    const group = last.groups.at(-1);
    const before = group?.messages.at(-1);
    const goesOn = group && before && sameUser(group.user, message.user) && Date.parse(message.at) - Date.parse(before.at) < ONE_GO_MS;
    if (goesOn) group.messages.push(message);
    else last.groups.push({ id: message.id, user: message.user, at: message.at, messages: [message] });
  }
  return days;
}

function sameUser(one: Message['user'], other: Message['user']): boolean {
  return one.id === other.id && one.name === other.name;
}

export function localDay(instant: string): string {
  const at = new Date(instant);
  return `${at.getFullYear()}-${String(at.getMonth() + 1).padStart(2, '0')}-${String(at.getDate()).padStart(2, '0')}`;
}

const LINK = /https?:\/\/[^\s<>"'`]+/g;

/** Text with its links apart: only what begins with http or https is one, and no point or bracket at its end. */
export function withLinks(text: string): { text: string; href: string | null }[] {
  const parts: { text: string; href: string | null }[] = [];
  let from = 0;
  for (const found of text.matchAll(LINK)) {
    const href = found[0].replace(/[.,;:!?)\]}]+$/, '');
    if (found.index > from) parts.push({ text: text.slice(from, found.index), href: null });
    parts.push({ text: href, href });
    from = found.index + href.length;
  }
  if (from < text.length) parts.push({ text: text.slice(from), href: null });
  return parts;
}
