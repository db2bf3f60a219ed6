/** How the operations rooms write what the rest of the page has not: rates, microseconds, multiples. */

import { useTongue } from '../../words/tongue';

export interface Writing {
  /** Per second: `12.3/s`. */
  rate: (perSecond: number) => string;
  /** Milliseconds, down to microseconds: `84 µs`, `1.2 ms`, `3 s`. */
  took: (ms: number) => string;
  /** `3.2 ×`. */
  times: (ratio: number) => string;
}

export function useWriting(): Writing {
  const { say, duration, language } = useTongue();
  const number = (value: number, digits: number) => new Intl.NumberFormat(language, { maximumFractionDigits: digits }).format(value);
  return {
    rate: (perSecond) => say('insight.per_second', { number: number(perSecond, perSecond < 10 ? (perSecond < 0.1 ? 2 : 1) : 0) }),
    took: (ms) => (ms > 0 && ms < 1 ? `${number(ms * 1000, 0)} µs` : duration(ms)),
    times: (ratio) => `${number(ratio, ratio < 10 ? 2 : 0)} ×`,
  };
}
