/** Numbers as people type them. Pure. */

/** `1.234,56` and `1,234.56` alike: the last point or comma followed by fewer than three digits is the decimal one. */
export function readNumber(text: string, units: number): number | null {
  const bare = text.replace(/[\s'\u00A0\u202F€%]/g, '');
  const found = /^([-\u2212]?)(\d[\d.,]*|)(?:[.,](\d+))?$/.exec(bare);
  if (!found || bare === '') return null;
  const mark = Math.max(bare.lastIndexOf('.'), bare.lastIndexOf(','));
  const after = mark < 0 ? '' : bare.slice(mark + 1);
  const separators = bare.match(/[.,]/g) ?? [];
  const isDecimal = mark >= 0 && (after.length !== 3 || (separators.length === 1 && units === 1000) || bare[mark] !== separators[0]);
  const whole = (isDecimal ? bare.slice(0, mark) : bare).replace(/[.,\u2212-]/g, '');
  const fraction = isDecimal ? after : '';
  const number = Number(`${whole || '0'}.${fraction || '0'}`) * units;
  return Number.isFinite(number) ? Math.round(number) * (/^[-\u2212]/.test(bare) ? -1 : 1) : null;
}
