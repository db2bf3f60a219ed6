/** The outbox of this page. */

import { connection } from '../../live/current';
import { user } from '../../session/current';
import { Outbox } from './outbox';

let kept: { userId: number; outbox: Outbox } | null = null;

/** What this user has said and the server has not taken. */
export function outboxOf(userId: number): Outbox {
  if (kept?.userId === userId) return kept.outbox;
  kept?.outbox.close();
  kept = { userId, outbox: new Outbox(connection, () => user.peek()?.id === userId) };
  return kept.outbox;
}
