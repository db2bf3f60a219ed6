import type { Problem } from '../api/problem';
import type { Phrase } from '../words';
import { useTongue } from '../words/tongue';
import { Button } from './button';

/** A refusal in the reader's language, with what the server said and, where it may help, a way to ask again. */
export function ProblemNote({ problem, title, retry }: { problem: Problem; title?: Phrase; retry?: () => void }) {
  const { say } = useTongue();
  return (
    <div class="note problem" role="alert">
      <p class="note-title">{say(title ?? titleOf(problem))}</p>
      {problem.status === 0 ? (
        <p>{say('problem.network.detail')}</p>
      ) : (
        // The server's own words are English.
        <p lang="en">{problem.detail || problem.title}</p>
      )}
      {problem.status === 403 && <p>{say('state.forbidden.detail')}</p>}
      {problem.requestId && <p class="quiet small">{say('problem.request', { id: problem.requestId })}</p>}
      {retry && problem.status !== 403 && <Button onClick={retry}>{say('problem.retry')}</Button>}
    </div>
  );
}

export function titleOf(problem: Problem): Phrase {
  if (problem.more.maintenance) return 'problem.maintenance';
  const titles: Record<number, Phrase> = {
    0: 'problem.network',
    403: 'problem.forbidden',
    404: 'problem.not_found',
    409: 'problem.conflict',
    422: 'problem.invalid',
    429: 'problem.throttled',
  };
  return titles[problem.status] ?? (problem.status > 500 ? 'problem.unavailable' : 'problem.failed');
}
