/** Plain numbers by Intl. A format takes longer to make than hundreds of numbers to write: each is made once. */

import type { Language } from './phrases';

const made = new Map<string, Intl.NumberFormat>();

/** Writes between `least` and `most` digits behind the point; without groups it can be typed again. */
export function numberFormat(language: Language, { least = 0, most, isGrouped = true }: { least?: number; most: number; isGrouped?: boolean }): Intl.NumberFormat {
  const key = `${language} ${least} ${most} ${isGrouped}`;
  let format = made.get(key);
  if (!format) {
    format = new Intl.NumberFormat(language, { minimumFractionDigits: least, maximumFractionDigits: most, useGrouping: isGrouped });
    made.set(key, format);
  }
  return format;
}
