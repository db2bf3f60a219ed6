/** A language: words from the areas, numbers and dates by Intl. */

import { recall, remember } from '../session/preferences';
import type { Phrase } from './index';
import { entryOf, LANGUAGES, type Language } from './phrases';

export type Fill = Record<string, string | number>;

/** Words and figures in one language. Money comes in cents, working time in minutes, quantities in thousandths. */
export interface Tongue {
  readonly language: Language;
  say(phrase: Phrase, fill?: Fill): string;
  /** Whether a loaded area has this phrase; for words that come from the server. */
  knows(phrase: string): phrase is Phrase;
  money(cents: number, currency: string): string;
  /** The whole units and, apart, the fraction with what follows: `1.234` and `,56 €`. */
  moneyParts(cents: number, currency: string): [string, string];
  moneyChange(cents: number, currency: string): string;
  moneyShort(cents: number, currency: string): string;
  count(number: number): string;
  countChange(number: number): string;
  hours(minutes: number): string;
  hoursChange(minutes: number): string;
  /** Thousandths, as in `1,5`. */
  quantity(thousandths: number): string;
  /** A share of one, as in `19 %`. */
  percent(share: number): string;
  /** `1.2 MB`. */
  bytes(bytes: number): string;
  /** Milliseconds, in the unit that reads best: `0.8 ms`, `1.2 s`, `3 min`. */
  duration(ms: number): string;
  /** Minutes of the day, as in `08:30`. */
  minuteOfDay(minute: number): string;
  month(month: string, width: 'short' | 'long'): string;
  /** A business date as short as it is clear, for tables: `14 Mar 2026`. */
  date(date: string): string;
  day(date: string): string;
  weekday(date: string): string;
  time(instant: Date): string;
  moment(instant: Date): string;
  ago(instant: Date, now: Date): string;
  list(words: readonly string[]): string;
}

export function preferredLanguage(): Language {
  const remembered = recall('language');
  if (isLanguage(remembered)) return remembered;
  for (const tag of navigator.languages) {
    const language = tag.slice(0, 2).toLowerCase();
    if (isLanguage(language)) return language;
  }
  return 'en';
}

export function rememberLanguage(language: Language): void {
  remember('language', language);
}

function isLanguage(word: string | null): word is Language {
  return LANGUAGES.includes(word as Language);
}

/** The region is the visitor's where it speaks this language: `en-US` and `en-GB` write dates differently. */
function localeOf(language: Language): string {
  const regional = navigator.languages.find((tag) => tag.toLowerCase().startsWith(`${language}-`));
  return regional ?? { en: 'en-GB', de: 'de-DE' }[language];
}

const tongues = new Map<Language, Tongue>();

export function tongueOf(language: Language): Tongue {
  let tongue = tongues.get(language);
  if (!tongue) tongues.set(language, (tongue = makeTongue(language, localeOf(language))));
  return tongue;
}

/** Intl writes a hyphen; as wide as the plus beside it is the minus sign. */
function minus(text: string): string {
  return text.replace('-', '\u2212');
}

/** Makes what is expensive (a format of Intl, up to some ms) when it is first asked for. */
function once<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => (made ??= make());
}

function makeTongue(language: Language, locale: string): Tongue {
  const plural = once(() => new Intl.PluralRules(locale));
  const numbers = (options?: Intl.NumberFormatOptions) => once(() => new Intl.NumberFormat(locale, options));
  const whole = numbers();
  const signed = numbers({ signDisplay: 'exceptZero' });
  const tenth = numbers({ maximumFractionDigits: 1 });
  const signedTenth = numbers({ maximumFractionDigits: 1, signDisplay: 'exceptZero' });
  // A business date names a day, not an instant: it is read and written in UTC, so that no zone can shift it.
  const dates = (options: Intl.DateTimeFormatOptions) =>
    once(() => new Intl.DateTimeFormat(locale, { ...options, timeZone: 'UTC' }));
  const thousandth = numbers({ maximumFractionDigits: 3 });
  const share = numbers({ style: 'percent', maximumFractionDigits: 1 });
  const mediumDate = dates({ dateStyle: 'medium' });
  const units = new Map<string, Intl.NumberFormat>();
  const inUnit = (number: number, unit: string) => {
    const digits = number < 10 && unit !== 'byte' ? 1 : 0;
    const key = unit + digits;
    let format = units.get(key);
    if (!format) {
      format = new Intl.NumberFormat(locale, { style: 'unit', unit, unitDisplay: 'short', maximumFractionDigits: digits });
      units.set(key, format);
    }
    return format.format(number);
  };
  const shortMonth = dates({ month: 'short' });
  const longMonth = dates({ month: 'long', year: 'numeric' });
  const longDay = dates({ weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' });
  const shortDay = dates({ weekday: 'long', day: 'numeric', month: 'long' });
  const clock = once(() => new Intl.DateTimeFormat(locale, { hour: '2-digit', minute: '2-digit', second: '2-digit' }));
  const moment = once(() => new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'short' }));
  const relative = once(() => new Intl.RelativeTimeFormat(locale, { numeric: 'auto', style: 'short' }));
  const list = once(() => new Intl.ListFormat(locale, { type: 'conjunction' }));

  const currencies = new Map<string, Intl.NumberFormat>();
  const inCurrency = (currency: string, options: Intl.NumberFormatOptions = {}) => {
    const key = currency + JSON.stringify(options);
    let format = currencies.get(key);
    if (!format) {
      format = new Intl.NumberFormat(locale, { style: 'currency', currency, ...options });
      currencies.set(key, format);
    }
    return format;
  };

  return {
    language,
    say(phrase, fill = {}) {
      const entry = entryOf(phrase)?.[language];
      if (entry === undefined) {
        console.error(`The words of "${phrase}" are not loaded: import their area's file in the page that says them`);
        return phrase;
      }
      const text = typeof entry === 'string' ? entry : entry[plural().select(Number(fill['count'])) === 'one' ? 'one' : 'other'];
      return text.replace(/\{(\w+)\}/g, (_, name: string) => String(fill[name] ?? ''));
    },
    knows: (phrase): phrase is Phrase => entryOf(phrase) !== undefined,
    money: (cents, currency) => inCurrency(currency).format(cents / 100),
    moneyParts(cents, currency) {
      const parts = inCurrency(currency).formatToParts(cents / 100);
      const point = parts.findIndex((part) => part.type === 'decimal');
      const text = (some: Intl.NumberFormatPart[]) => some.map((part) => part.value).join('');
      return point < 0 ? [text(parts), ''] : [text(parts.slice(0, point)), text(parts.slice(point))];
    },
    moneyChange: (cents, currency) => minus(inCurrency(currency, { signDisplay: 'exceptZero' }).format(cents / 100)),
    moneyShort: (cents, currency) =>
      inCurrency(currency, { notation: 'compact', maximumSignificantDigits: 2 }).format(cents / 100),
    count: (number) => whole().format(number),
    countChange: (number) => minus(signed().format(number)),
    hours: (minutes) => tenth().format(minutes / 60),
    hoursChange: (minutes) => minus(signedTenth().format(minutes / 60)),
    quantity: (thousandths) => thousandth().format(thousandths / 1000),
    percent: (part) => share().format(part),
    bytes(bytes) {
      const steps = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte'];
      const step = Math.min(steps.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, Math.abs(bytes))) / 3)));
      return inUnit(bytes / 1000 ** step, steps[step] ?? 'byte');
    },
    duration(ms) {
      if (ms < 1000) return inUnit(ms, 'millisecond');
      if (ms < 120_000) return inUnit(ms / 1000, 'second');
      if (ms < 7_200_000) return inUnit(ms / 60_000, 'minute');
      return ms < 172_800_000 ? inUnit(ms / 3_600_000, 'hour') : inUnit(ms / 86_400_000, 'day');
    },
    minuteOfDay: (minute) => `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`,
    date: (date) => mediumDate().format(new Date(`${date.slice(0, 10)}`)),
    month: (month, width) => (width === 'short' ? shortMonth() : longMonth()).format(new Date(`${month.slice(0, 7)}-01`)),
    day: (date) => longDay().format(new Date(date)),
    weekday: (date) => shortDay().format(new Date(date)),
    time: (instant) => clock().format(instant),
    moment: (instant) => moment().format(instant),
    ago(instant, now) {
      const seconds = Math.min(0, Math.round((instant.getTime() - now.getTime()) / 1000));
      if (seconds > -60) return relative().format(0, 'second');
      if (seconds > -3600) return relative().format(Math.round(seconds / 60), 'minute');
      if (seconds > -86_400) return relative().format(Math.round(seconds / 3600), 'hour');
      return relative().format(Math.round(seconds / 86_400), 'day');
    },
    list: (words) => list().format(words),
  };
}
