import { points } from './scale';

/** A line as small as a word, for the run of a number. The number beside it says what it is. */
export function Sparkline({ values, width = 96, height = 24 }: { values: readonly number[]; width?: number; height?: number }) {
  if (values.length < 2) return null;
  return (
    <svg class="sparkline" width={width} height={height} viewBox={`0 0 ${width} ${height}`} aria-hidden="true">
      <polyline points={points(values, width, height)} />
    </svg>
  );
}
