import { useTongue } from '../tongue';
import type { Phrase } from '../catalogue';
import type { Problem } from '../problem';

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
      {problem.requestId && <p class="quiet small">{say('problem.request', { id: problem.requestId })}</p>}
      {retry && problem.status !== 403 && (
        <button type="button" class="button" onClick={retry}>
          {say('problem.retry')}
        </button>
      )}
    </div>
  );
}

export function titleOf(problem: Problem): Phrase {
  if (problem.status === 0) return 'problem.network';
  if (problem.status === 403) return 'problem.forbidden';
  if (problem.status === 429) return 'problem.throttled';
  if (problem.status > 500) return 'problem.unavailable';
  return 'problem.failed';
}
