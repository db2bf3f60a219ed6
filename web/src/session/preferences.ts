/** What the browser keeps between visits: tastes and one hint. Never a token, never business data. */

type Preference =
  | 'language'
  | 'theme'
  /** Somebody signed in here and did not sign out: it is worth asking for a new access token at load. */
  | 'session';

export function recall(preference: Preference): string | null {
  try {
    return localStorage.getItem(`steinmetz.${preference}`);
  } catch {
    return null; // storage is switched off: the page forgets, and works
  }
}

export function remember(preference: Preference, value: string | null): void {
  try {
    if (value === null) localStorage.removeItem(`steinmetz.${preference}`);
    else localStorage.setItem(`steinmetz.${preference}`, value);
  } catch {
    // as above
  }
}
