/** An invoice as somebody saw it when he began to act on it, and as it stands now. */

import { useState } from 'preact/hooks';
import type { InvoiceView } from '../../api/types';
import { asProblem } from '../../api/problem';

export interface Seen {
  /** As it stood when the act was begun; what is written refers to it. */
  seen: InvoiceView;
  /** As somebody else has left it meanwhile; null if nobody has. */
  newer: InvoiceView | null;
  /** Look at what is newer from now on. */
  accept: () => void;
  /** Runs a write upon the version that was seen; a 409 shows what stands instead. Raises `Problem`. */
  write: <T>(act: (version: number) => Promise<T>) => Promise<T>;
}

export function useSeen(live: InvoiceView): Seen {
  const [seen, setSeen] = useState(live);
  const [refusedFor, setRefusedFor] = useState<InvoiceView | null>(null);
  // Our own commit is heard before its answer has arrived: it is no news.
  const [isWriting, setWriting] = useState(false);
  const newest = refusedFor && refusedFor.version > live.version ? refusedFor : live;
  return {
    seen,
    newer: !isWriting && newest.version > seen.version ? newest : null,
    accept: () => setSeen(newest),
    async write(act) {
      setWriting(true);
      try {
        return await act(seen.version);
      } catch (error) {
        const problem = asProblem(error);
        if (problem.isConflict) setRefusedFor(problem.more.current as InvoiceView);
        setWriting(false);
        throw problem;
      }
    },
  };
}
