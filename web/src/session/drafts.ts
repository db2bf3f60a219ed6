/**
 * What somebody has typed and not saved, kept in this tab until it is saved, thrown away or the user signs out.
 *
 * It outlives a lost session and a reload. Nobody else who signs in here sees it: the key names the user.
 */

const PREFIX = 'steinmetz.draft.';

export interface Draft {
  values: Record<string, unknown>;
  /** The version of the record that it began from; null for a new one. */
  version: number | null;
}

function key(userId: number, form: string): string {
  return `${PREFIX}${userId}.${form}`;
}

export function draftOf(userId: number, form: string): Draft | null {
  try {
    const kept = sessionStorage.getItem(key(userId, form));
    return kept === null ? null : (JSON.parse(kept) as Draft);
  } catch {
    return null; // storage is switched off, or holds what is not ours: there is no draft
  }
}

export function keepDraft(userId: number, form: string, draft: Draft | null): void {
  try {
    if (draft === null) sessionStorage.removeItem(key(userId, form));
    else sessionStorage.setItem(key(userId, form), JSON.stringify(draft));
  } catch {
    // as above, or full
  }
}

export function forgetDrafts(): void {
  try {
    for (const name of Object.keys(sessionStorage)) if (name.startsWith(PREFIX)) sessionStorage.removeItem(name);
  } catch {
    // as above
  }
}
