/** Which rows of a long list are drawn. Pure. */

/** Rows drawn beyond the edges, so that a scroll shows no gap before the next frame. */
const BEYOND = 8;

/** The rows `first` to before `last` that a window of `height` px shows, scrolled down by `top` px. */
export function windowOf(top: number, height: number, rowHeight: number, count: number): { first: number; last: number } {
  const first = Math.max(0, Math.floor(top / rowHeight) - BEYOND);
  const last = Math.min(count, Math.ceil((top + height) / rowHeight) + BEYOND);
  return { first: Math.min(first, Math.max(0, count - 1)), last };
}
