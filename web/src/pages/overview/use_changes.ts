/** Which figures of the overview have just changed, and by how much; forgotten after a while. */

import { useEffect, useRef, useState } from 'preact/hooks';
import { MARK_MS } from '../../live/changed';
import { changes, type Changes, type Figure, type Overview } from './overview';

export function useChanges(overview: Overview | null): Changes {
  const before = useRef<Overview | null>(null);
  const timers = useRef(new Map<Figure, ReturnType<typeof setTimeout>>());
  const [changed, setChanged] = useState<Changes>(new Map());
  useEffect(() => {
    const last = before.current;
    before.current = overview;
    if (!last || !overview) return;
    const fresh = changes(last, overview);
    if (fresh.size === 0) return;
    setChanged((marked) => new Map([...marked, ...fresh]));
    for (const figure of fresh.keys()) {
      clearTimeout(timers.current.get(figure));
      const unmark = () => setChanged((marked) => new Map([...marked].filter(([one]) => one !== figure)));
      timers.current.set(figure, setTimeout(unmark, MARK_MS));
    }
  }, [overview]);
  useEffect(() => {
    const running = timers.current;
    return () => running.forEach((timer) => clearTimeout(timer));
  }, []);
  return changed;
}
