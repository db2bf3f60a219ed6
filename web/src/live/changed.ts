/** The quiet mark: what has changed just now, forgotten after a few seconds. */

import { useEffect, useRef, useState } from 'preact/hooks';

export const MARK_MS = 8_000;

/** The value before, while it is new that it changed; null otherwise. `of` names what it is the value of. */
export function useBefore<T extends string | number | boolean | null>(value: T, of: string | number = ''): { before: T } | null {
  const seen = useRef({ value, of });
  const [mark, setMark] = useState<{ before: T } | null>(null);
  useEffect(() => {
    const last = seen.current;
    seen.current = { value, of };
    if (last.of !== of) setMark(null);
    else if (last.value !== value) setMark((now) => now ?? { before: last.value });
    else return;
  }, [value, of]);
  useEffect(() => {
    if (!mark) return;
    const end = setTimeout(() => setMark(null), MARK_MS);
    return () => clearTimeout(end);
  }, [mark, value]);
  return mark && mark.before !== value ? mark : null;
}

/** The keys of the rows that came or changed just now; `of` names the list, so that another filter marks nothing. */
export function useChangedRows<Row>(rows: readonly Row[], keyOf: (row: Row) => string | number, of: string, isReady: boolean): ReadonlySet<string | number> {
  const seen = useRef<{ of: string; rows: Map<string | number, Row>; count: number } | null>(null);
  const [marks, setMarks] = useState<ReadonlySet<string | number>>(new Set());
  useEffect(() => {
    if (!isReady) return;
    const last = seen.current;
    const now = new Map(rows.map((row) => [keyOf(row), row]));
    seen.current = { of, rows: now, count: rows.length };
    if (!last || last.of !== of) {
      setMarks((marked) => (marked.size > 0 ? new Set() : marked));
      return;
    }
    // Rows beyond what was shown are a further page, not news.
    const lengthBefore = last.count;
    const fresh = rows.slice(0, lengthBefore).filter((row) => {
      const before = last.rows.get(keyOf(row));
      return before !== row && (before === undefined || JSON.stringify(before) !== JSON.stringify(row));
    });
    if (fresh.length > 0 && fresh.length < Math.max(4, lengthBefore)) {
      setMarks((marked) => new Set([...marked, ...fresh.map(keyOf)]));
    }
  }, [rows, of, isReady]);
  useEffect(() => {
    if (marks.size === 0) return;
    const end = setTimeout(() => setMarks(new Set()), MARK_MS);
    return () => clearTimeout(end);
  }, [marks]);
  return marks;
}
