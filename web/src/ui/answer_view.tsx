import type { ComponentChildren } from 'preact';
import type { Held } from '../live/use_answer';
import { ProblemNote } from './problem_note';
import { Skeleton } from './skeleton';

interface Props<Body> {
  answer: Held<Body>;
  /** While there is nothing yet; a skeleton of some lines without it. */
  loading?: ComponentChildren;
  children: (body: Body) => ComponentChildren;
}

/** An answer in whichever state it is: loading, refused, or there, and then with a note if it could not be renewed. */
export function AnswerView<Body>({ answer, loading, children }: Props<Body>) {
  const { body, problem, phase, refresh } = answer;
  return (
    <>
      {problem && phase !== 'offline' && <ProblemNote problem={problem} retry={refresh} />}
      {body !== null ? children(body) : !problem && (loading ?? <Skeleton />)}
    </>
  );
}
