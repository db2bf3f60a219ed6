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

/** `values` as the points of a polyline that fills `width` by `height` px, with a px to spare at its edges. */
export function points(values: readonly number[], width: number, height: number): string {
  const low = Math.min(...values);
  const span = Math.max(...values) - low || 1;
  const step = (width - 2) / Math.max(1, values.length - 1);
  return values
    .map((value, index) => `${(1 + index * step).toFixed(1)},${(height - 1 - ((value - low) / span) * (height - 2)).toFixed(1)}`)
    .join(' ');
}
