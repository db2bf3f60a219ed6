/** How the operations rooms write what the rest of the page has not: rates, microseconds, multiples. */

import { numberFormat } from '../../words/number_format';
import { useTongue } from '../../words/tongue';

export interface Writing {
  /** Per second: `12.3/s`. */
  rate: (perSecond: number) => string;
  /** Milliseconds, down to microseconds: `84 µs`, `1.2 ms`, `3 s`, `5 min`. */
  took: (ms: number) => string;
  /** `3.2 ×`. */
  times: (ratio: number) => string;
}

export function useWriting(): Writing {
  const { say, language } = useTongue();
  const number = (value: number, digits: number) => numberFormat(language, { most: digits }).format(value);
  return {
    rate: (perSecond) => say('insight.per_second', { number: number(perSecond, perSecond < 10 ? (perSecond < 0.1 ? 2 : 1) : 0) }),
    took: (ms) => {
      // Intl writes "secs" and "Sek.": in columns of figures the symbols of the units read better.
      if (ms > 0 && ms < 1) return `${number(ms * 1000, 0)} µs`;
      if (ms < 1000) return `${number(ms, ms < 10 ? 1 : 0)} ms`;
      if (ms < 120_000) return `${number(ms / 1000, ms < 10_000 ? 1 : 0)} s`;
      return ms < 7_200_000 ? `${number(ms / 60_000, 0)} min` : `${number(ms / 3_600_000, 1)} h`;
    },
    times: (ratio) => `${number(ratio, ratio < 10 ? 2 : 0)} ×`,
  };
}
