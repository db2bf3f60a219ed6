/** Axes of a chart. Pure. */

/** Round steps that cover `lowest..highest` with zero among them, e.g. `0, 250, 500, 750`; at most `most` + 1 ticks. */
export function ticks(lowest: number, highest: number, most: number): number[] {
  const low = Math.min(0, lowest);
  const high = Math.max(0, highest);
  if (high === low) return [0];
  const rough = (high - low) / most;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 2.5, 5, 10].find((factor) => factor * power >= rough) ?? 10);
  const first = Math.floor(low / step);
  const last = Math.ceil(high / step);
  return Array.from({ length: last - first + 1 }, (_, index) => (first + index) * step);
}
