/** What has been said in the chat that the signed-in user has not read. */

import { useEffect } from 'preact/hooks';
import { answers, connection } from '../live/current';
import { LIVE } from '../live/protocol';
import { addressOf, useAnswer } from '../live/use_answer';
import { countUnread } from '../ui/document_title';
import { useTongue } from '../words/tongue';

/** The shortest list: the sum over all channels stands beside it. */
const SHORTEST = { query: { limit: 1 } } as const;
/** A page that nobody looks at still counts in its title, but not at each message. */
const HIDDEN_MS = 2_000;
const MOST = 99;

/** How many messages are unread, as it is written; empty for none. Also counts them in the document's title. */
export function useUnread(): string {
  const { count } = useTongue();
  const { body } = useAnswer('/api/chat/channels', SHORTEST);
  const unread = body?.unread ?? 0;
  const written = unread === 0 ? '' : unread > MOST ? `${count(MOST)}+` : count(unread);
  useEffect(() => {
    countUnread(written);
    return () => countUnread('');
  }, [written]);
  useEffect(() => {
    const { socket } = connection;
    const at = addressOf('/api/chat/channels', SHORTEST);
    let timer: ReturnType<typeof setTimeout> | undefined;
    const onStale = ({ path }: { path: string }) => {
      // Whoever looks is asked for already.
      if (path !== at || document.visibilityState === 'visible') return;
      timer ??= setTimeout(() => {
        timer = undefined;
        answers.refresh(at);
      }, HIDDEN_MS);
    };
    socket.on(LIVE.stale, onStale);
    return () => {
      clearTimeout(timer);
      socket.off(LIVE.stale, onStale);
    };
  }, []);
  return written;
}
