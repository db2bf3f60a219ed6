/** How the words of an area are written down: every phrase in every language, side by side. */

export type Language = 'en' | 'de';
export const LANGUAGES: readonly Language[] = ['en', 'de'];

type Plural = { one: string; other: string };
/** `{name}` is filled in; `one` and `other` are chosen by `{count}` under the language's plural rules. */
export type Entry = Record<Language, string> | Record<Language, Plural>;

const KNOWN = new Map<string, Entry>();

/** Make the words of an area known. Its file is imported by the pages that say them, so that they load together. */
export function phrases<const Words extends Record<string, Entry>>(words: Words): Words {
  for (const [phrase, entry] of Object.entries(words)) KNOWN.set(phrase, entry);
  return words;
}

export function entryOf(phrase: string): Entry | undefined {
  return KNOWN.get(phrase);
}
