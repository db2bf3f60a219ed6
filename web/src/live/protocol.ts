/** How answers are subscribed to. Where the server's own schemas say it (`events.ts`), theirs holds. */

import type { ClientToServerEvents, ServerToClientEvents } from '../events';

/** Their names. */
export const LIVE = {
  subscribe: 'live:subscribe',
  unsubscribe: 'live:unsubscribe',
  update: 'live:update',
  stale: 'live:stale',
  ended: 'live:ended',
} as const;

export interface LiveRefusal {
  ok: false;
  error: { code: string; message: string };
}

/** `body` is left out if `etag` is what the subscriber has. */
export type LiveAck = { ok: true; etag: string; body?: unknown } | LiveRefusal;

/** The whole `body`, or a JSON Merge Patch (RFC 7396) upon the answer whose etag is `base`. */
export type LiveUpdate = { path: string; etag: string; body?: unknown; patch?: unknown; base?: string | null };

interface Subscribing {
  'live:subscribe': (payload: { path: string; etag?: string }, ack: (answer: LiveAck) => void) => void;
  'live:unsubscribe': (payload: { path: string }, ack: (answer: { ok: true } | LiveRefusal) => void) => void;
}

interface Hearing {
  'live:update': (payload: LiveUpdate) => void;
  /** The answer is private and may differ now: ask again if somebody is looking. */
  'live:stale': (payload: { path: string }) => void;
  'live:ended': (payload: { path: string; error: { code: string; message: string } }) => void;
}

export type Said = ClientToServerEvents & Omit<Subscribing, keyof ClientToServerEvents>;
export type Heard = ServerToClientEvents & Omit<Hearing, keyof ServerToClientEvents>;
