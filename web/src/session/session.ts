/**
 * Who is signed in.
 *
 * The access token lives in this object, and in those of the other tabs, and nowhere else. The refresh token is an
 * HttpOnly cookie that no script can read. It is spent under one Web Lock, by one tab for all: whoever had to wait
 * for the lock takes the token that the other has just been given.
 */

import { signal } from '@preact/signals';
import { asProblem, problemOf, type Problem } from '../api/problem';
import type { Role } from '../api/types';
import { forgetDrafts } from './drafts';
import { recall, remember } from './preferences';

export interface User {
  id: number;
  name: string;
  email: string;
  role: Role;
}

export type SessionState =
  | { phase: 'starting' }
  | { phase: 'unreachable'; problem: Problem }
  | { phase: 'signed-out'; why: 'first' | 'ended' | 'left' }
  | { phase: 'signed-in'; user: User };

export interface Grant {
  accessToken: string;
  /** Seconds. */
  expiresIn: number;
  user: User;
}

export type Renewal = 'renewed' | 'ended' | 'unreachable';

const LOCK = 'steinmetz.refresh';
const CHANNEL = 'steinmetz.session';
/** A token is renewed when this share of its life is over. */
const RENEW_AT = 0.8;
const RETRY_MS = 5_000;
/** A tab that waited for the lock waits so long for what the other was given; the message may be behind the lock. */
const HANDED_WITHIN_MS = 250;

/** `atMs`: when it was granted; messages may come late. */
type Told = { kind: 'left' } | { kind: 'granted'; grant: Grant; atMs: number };

export class Session {
  readonly state = signal<SessionState>({ phase: 'starting' });
  /** The access token in force; replaced at every renewal. */
  readonly token = signal<string | null>(null);

  /** A sign-out is under way: what is asked for now would be refused. */
  readonly isLeaving = signal(false);

  #grantedAtMs = 0;
  #expiresAtMs = 0;
  #renewAtMs = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #renewal: Promise<Renewal> | null = null;
  /** Raised by each sign-in and sign-out: an answer to an older one is nobody's. */
  #era = 0;
  readonly #tabs = new BroadcastChannel(CHANNEL);

  constructor() {
    this.#tabs.onmessage = ({ data }: MessageEvent<Told>) => {
      const { phase } = this.state.value;
      if (data.kind === 'left' && phase === 'signed-in') this.#leave('left');
      // The cookie is everybody's: who signs in or renews in one tab does so in all.
      if (data.kind === 'granted' && data.atMs > this.#grantedAtMs) this.#admit(data.grant, data.atMs);
    };
    // Timers sleep with the machine and are slowed in hidden tabs: look at the clock when somebody looks at us.
    document.addEventListener('visibilitychange', () => {
      if (document.visibilityState === 'visible') this.#renewIfDue();
    });
    addEventListener('online', () => this.#renewIfDue());
  }

  /** Stop hearing of other tabs, and stop renewing. */
  close(): void {
    clearTimeout(this.#timer);
    this.#tabs.close();
  }

  /** At load: go on with the session that the cookie stands for, if there may be one. */
  async resume(): Promise<void> {
    if (recall('session') === null) {
      this.state.value = { phase: 'signed-out', why: 'first' };
      return;
    }
    this.state.value = { phase: 'starting' };
    await this.renew();
  }

  /** Raises `Problem`. */
  async signIn(email: string, password: string): Promise<void> {
    const era = ++this.#era;
    const answer = await send('/api/auth/login', { email, password });
    const grant = ((await answer.json()) as { data: Grant }).data;
    if (era !== this.#era) return;
    this.#share(grant);
  }

  /** Raises `Problem` if the server could not be told: the session then still stands. */
  async signOut(): Promise<void> {
    this.isLeaving.value = true;
    try {
      await send('/api/auth/logout');
    } catch (error) {
      const problem = asProblem(error);
      if (problem.status !== 401) throw problem; // 401: there is no session any more, which is what was wanted
    } finally {
      this.isLeaving.value = false;
    }
    this.#leave('left');
    this.#tell({ kind: 'left' });
  }

  /** Spend the cookie for a new access token. Callers at the same time share one renewal. */
  renew(): Promise<Renewal> {
    // The server ends our sockets before its answer to a sign-out is here: nobody should then ask for more.
    if (this.isLeaving.peek()) return Promise.resolve('unreachable');
    this.#renewal ??= this.#renew().finally(() => (this.#renewal = null));
    return this.#renewal;
  }

  /** The access token, renewed first if its life is over; null if nobody is signed in. */
  async freshToken(): Promise<string | null> {
    if (this.token.value !== null && Date.now() >= this.#expiresAtMs) await this.renew();
    return this.token.value;
  }

  /** The name or language of the signed-in user has changed. */
  know(user: User): void {
    if (this.state.value.phase === 'signed-in') this.state.value = { phase: 'signed-in', user };
  }

  /** Go on with tokens that came with another answer: a new password ends all other sign-ins, and brings new ones. */
  take(grant: Grant): void {
    this.#era++;
    this.#share(grant);
  }

  async #renew(): Promise<Renewal> {
    const era = this.#era;
    const old = this.token.value;
    try {
      return await underLock(async (hadToWait) => {
        if (hadToWait && (await this.#handed(old))) return 'renewed';
        const answer = await send('/api/auth/refresh');
        const grant = ((await answer.json()) as { data: Grant }).data;
        if (era !== this.#era) return 'ended';
        this.#share(grant);
        return 'renewed';
      });
    } catch (error) {
      if (era !== this.#era) return 'ended';
      const problem = asProblem(error);
      if (!problem.passes) {
        this.#leave('ended');
        return 'ended';
      }
      if (this.state.value.phase !== 'signed-in') this.state.value = { phase: 'unreachable', problem };
      this.#schedule(Math.max(RETRY_MS, (problem.retryAfterS ?? 0) * 1000));
      return 'unreachable';
    }
  }

  /** Whether another tab hands us a token in place of the `old` one. */
  async #handed(old: string | null): Promise<boolean> {
    const until = Date.now() + HANDED_WITHIN_MS;
    const isHanded = () => this.token.value !== null && this.token.value !== old;
    while (!isHanded() && Date.now() < until) await new Promise((resolve) => setTimeout(resolve, 10));
    return isHanded();
  }

  #tell(told: Told): void {
    this.#tabs.postMessage(told);
  }

  /** Take what we were granted, and let the other tabs have it. */
  #share(grant: Grant): void {
    const atMs = performance.timeOrigin + performance.now();
    this.#admit(grant, atMs);
    this.#tell({ kind: 'granted', grant, atMs });
  }

  #admit(grant: Grant, atMs: number): void {
    this.#grantedAtMs = atMs;
    remember('session', 'open');
    const lifeMs = grant.expiresIn * 1000;
    this.#expiresAtMs = Date.now() + lifeMs;
    this.#schedule(lifeMs * RENEW_AT);
    this.token.value = grant.accessToken;
    const { value: before } = this.state;
    // A renewal is no news: whoever looks at the user is drawn again only if he has changed.
    if (before.phase === 'signed-in' && JSON.stringify(before.user) === JSON.stringify(grant.user)) return;
    this.state.value = { phase: 'signed-in', user: grant.user };
  }

  #leave(why: 'ended' | 'left'): void {
    this.#era++;
    clearTimeout(this.#timer);
    // What was granted before this moment, and is told to us late, is over too.
    this.#grantedAtMs = performance.timeOrigin + performance.now();
    this.#renewAtMs = Infinity;
    this.#expiresAtMs = 0;
    remember('session', null);
    // Who leaves by himself leaves nothing behind; who lost his session finds his drafts again.
    if (why === 'left') forgetDrafts();
    this.token.value = null;
    this.state.value = { phase: 'signed-out', why };
  }

  #schedule(inMs: number): void {
    clearTimeout(this.#timer);
    this.#renewAtMs = Date.now() + inMs;
    this.#timer = setTimeout(() => void this.renew(), inMs);
  }

  #renewIfDue(): void {
    const { phase } = this.state.value;
    if ((phase === 'signed-in' || phase === 'unreachable') && Date.now() >= this.#renewAtMs) void this.renew();
  }
}

/** Web Locks exist in secure contexts only; elsewhere the server's ten seconds of grace must do. */
async function underLock<T>(work: (hadToWait: boolean) => Promise<T>): Promise<T> {
  if (!('locks' in navigator)) return work(false);
  const done = await navigator.locks.request(LOCK, { ifAvailable: true }, async (lock) => lock && { value: await work(false) });
  return done ? done.value : navigator.locks.request(LOCK, () => work(true));
}

async function send(path: string, body?: object): Promise<Response> {
  let answer: Response;
  try {
    answer = await fetch(path, {
      method: 'POST',
      headers: { Accept: 'application/json', ...(body ? { 'Content-Type': 'application/json' } : {}) },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
  } catch (error) {
    throw asProblem(error);
  }
  if (!answer.ok) throw await problemOf(answer);
  return answer;
}
