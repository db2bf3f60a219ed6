/** Figures that no commit announces: asked for again every few seconds, while somebody looks and there is a line. */

import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { Gets } from '../../api/types';
import { connection } from '../../live/current';
import { useAnswer, type Held, type Question } from '../../live/use_answer';

/** Held still by the visitor, to read. */
export const isPaused = signal(false);

export const TICK_MS = 5_000;

/** `useAnswer` for a `null` or a full question, refreshed every `everyMs`. */
export function useTicking<P extends keyof Gets>(path: P, question: Question<P> | null, everyMs = TICK_MS): Held<Gets[P]['answer']> {
  // Each route's own optional question is the same thing as `{}`.
  const ask = useAnswer as (path: P, question: Question<P> | null) => Held<Gets[P]['answer']>;
  const answer = ask(path, question);
  const { refresh } = answer;
  const at = JSON.stringify([path, question]);
  useEffect(() => {
    if (question === null) return;
    const clock = setInterval(() => {
      if (!isPaused.peek() && document.visibilityState === 'visible' && connection.state.peek() !== 'offline') refresh();
    }, everyMs);
    return () => clearInterval(clock);
  }, [at, everyMs]);
  return answer;
}
