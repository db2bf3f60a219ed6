/**
 * Answers of the server, kept true while somebody looks at them.
 *
 * An answer is fetched once however many components show it, then subscribed to (`live:subscribe`) if its route can
 * be. One that cannot be is asked for again after a reconnect, when the page is looked at again, and after each write
 * of our own. An answer that nobody looks at any more stays for a while, so that going back shows it at once.
 */

import { signal, type Signal } from '@preact/signals';
import type { Door } from '../api/door';
import type { LiveEnded } from '../events';
import { asProblem, Problem } from '../api/problem';
import type { Connection } from './connection';
import { mergePatch } from './merge_patch';
import { LIVE, type Heard, type LiveAck, type LiveUpdate } from './protocol';

/**
 * How an answer stands. `body` is the last one there was: with `failed` and `offline` it is old, and still shown.
 * `turn` rises with each body.
 */
export interface Answered<Body> {
  phase: 'loading' | 'ready' | 'failed' | 'forbidden' | 'offline';
  body: Body | null;
  problem: Problem | null;
  turn: number;
}

/** How many answers are kept that nobody looks at, and for how long. */
const MAX_IDLE = 60;
const IDLE_MS = 60_000;
/** The server answers a subscription at once; one that says nothing does not know them. */
const ACK_WITHIN_MS = 5_000;
/** So long after a write of our own what is looked at is asked for again. */
const WRITTEN_MS = 50;
/** Why a path cannot be subscribed to at all: it is not asked again. */
const NEVER_LIVE = new Set(['not_live', 'unfit', 'invalid', 'unknown_event']);
/** While there is no socket, answers that are looked at are asked for again so often. */
const POLL_MS = 15_000;

const LOADING: Answered<unknown> = { phase: 'loading', body: null, problem: null, turn: 0 };

class Answer {
  readonly state: Signal<Answered<unknown>> = signal(LOADING);
  holders = 0;
  etag: string | null = null;
  idleSince = 0;
  isSubscribed = false;
  /** Something may have changed while nobody looked. */
  isDue = true;
  fetching: AbortController | null = null;

  constructor(readonly at: string) {}
}

export class Answers {
  readonly #door: Door;
  readonly #connection: Connection;
  readonly #answers = new Map<string, Answer>();
  /** Paths (without their query) that cannot be subscribed to. */
  readonly #notLive = new Set<string>();
  /** Addresses whose whole body comes by an event of its own. */
  readonly #bound = new Set<string>();
  #wasConnected = false;

  constructor(door: Door, connection: Connection) {
    this.#door = door;
    this.#connection = connection;
    const { socket } = connection;
    socket.on(LIVE.update, (update: LiveUpdate) => this.#onUpdate(update));
    socket.on(LIVE.stale, ({ path }: { path: string }) => this.#onStale(path));
    socket.on(LIVE.ended, ({ path, error }: LiveEnded) => this.#onEnded(path, error));
    connection.onConnect(() => this.#onConnect());
    door.onWritten((path) => {
      // Who has deleted a record leaves its page first: nobody asks for what is gone.
      if (!path.startsWith('/api/auth/')) setTimeout(() => this.#refreshHeld((answer) => !this.#isFollowed(answer)), WRITTEN_MS);
    });
  }

  /** Look again when somebody looks at the page again, and now and then while there is no socket. Called once. */
  watch(page: Document): void {
    page.addEventListener('visibilitychange', () => {
      if (page.visibilityState === 'visible') this.#refreshHeld((answer) => answer.isDue || !this.#isFollowed(answer));
    });
    setInterval(() => {
      if (!this.#connection.isLive && page.visibilityState === 'visible') this.#refreshHeld(() => true);
    }, POLL_MS);
  }

  /** How the answer at `at` stands; made if there is none, and fetched once it is held. */
  state<Body>(at: string): Signal<Answered<Body>> {
    return this.#of(at).state as unknown as Signal<Answered<Body>>;
  }

  /** Keep the answer at `at` true until the returned function is called. */
  hold(at: string): () => void {
    const answer = this.#of(at);
    answer.holders++;
    if (answer.holders === 1 && (answer.isDue || !this.#isFollowed(answer))) void this.#fetch(answer);
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      answer.holders--;
      if (answer.holders === 0) this.#rest(answer);
    };
  }

  /** Ask again for what is at `at`, whether or not anything says that it changed. */
  refresh(at: string): void {
    const answer = this.#answers.get(at);
    if (answer) void this.#fetch(answer);
  }

  /** `event` carries the whole `data` of the answer at `at`. */
  bind<Event extends keyof Heard & string>(at: string, event: Event): void {
    this.#bound.add(at);
    const heard = (data: unknown) => {
      const answer = this.#answers.get(at);
      if (!answer) return;
      if (answer.fetching) answer.isDue = true; // what was asked for before may be older than this
      this.#put(answer, { success: true, data }, null);
    };
    this.#connection.socket.on(event as string as never, heard as never);
  }

  /** Forget everything: somebody else signs in. */
  clear(): void {
    for (const answer of this.#answers.values()) answer.fetching?.abort();
    this.#answers.clear();
    this.#notLive.clear();
    this.#wasConnected = false;
  }

  #of(at: string): Answer {
    let answer = this.#answers.get(at);
    if (!answer) this.#answers.set(at, (answer = new Answer(at)));
    return answer;
  }

  #isFollowed(answer: Answer): boolean {
    return this.#connection.isLive && (answer.isSubscribed || this.#bound.has(answer.at));
  }

  async #fetch(answer: Answer): Promise<void> {
    if (answer.fetching) {
      answer.isDue = true;
      return;
    }
    const aborter = (answer.fetching = new AbortController());
    const { turn } = answer.state.peek();
    answer.isDue = false;
    try {
      const { etag } = answer;
      const got = await this.#door.fetch(answer.at, etag, aborter.signal);
      if (aborter.signal.aborted) return;
      // What was heard meanwhile may be newer than what was asked for before.
      const wasOvertaken = answer.state.peek().turn !== turn;
      if (got.unchanged) this.#confirm(answer);
      else if (!wasOvertaken) this.#put(answer, got.body, got.etag);
    } catch (error) {
      if (aborter.signal.aborted) return;
      this.#fail(answer, asProblem(error));
    } finally {
      if (answer.fetching === aborter) answer.fetching = null;
    }
    if (answer.holders === 0) return;
    if (answer.isDue && answer.state.peek().problem === null) void this.#fetch(answer);
    else this.#subscribe(answer);
  }

  /** `isAgain`: there was a gap in what was heard, which has to be closed one way or the other. */
  #subscribe(answer: Answer, isAgain = false): void {
    const path = pathOf(answer.at);
    if (answer.isSubscribed || !this.#connection.isLive || !this.#canBeLive(answer)) return;
    if (answer.state.peek().phase !== 'ready') return;
    answer.isSubscribed = true;
    answer.isDue = false;
    const { turn } = answer.state.peek();
    const asked = { path: answer.at, ...(answer.etag ? { etag: answer.etag } : {}) };
    this.#connection.socket.timeout(ACK_WITHIN_MS).emit(LIVE.subscribe, asked, (late: Error | null, ack?: LiveAck) => {
      if (late || !ack?.ok) {
        answer.isSubscribed = false;
        if (ack && !ack.ok && NEVER_LIVE.has(ack.error.code)) this.#notLive.add(path);
        // What it was asked for after a loss, it has to be fetched for.
        if (isAgain && answer.holders > 0) void this.#fetch(answer);
        return;
      }
      if (ack.body !== undefined) this.#put(answer, ack.body, ack.etag);
      // The server's name for what we have; over HTTP it may bear that of a coding.
      else if (answer.state.peek().turn === turn) answer.etag = ack.etag;
      if (answer.holders === 0) this.#unsubscribe(answer);
    });
  }

  #unsubscribe(answer: Answer): void {
    if (!answer.isSubscribed) return;
    answer.isSubscribed = false;
    answer.isDue = true;
    if (this.#connection.isLive) this.#connection.socket.emit(LIVE.unsubscribe, { path: answer.at }, () => undefined);
  }

  #onUpdate({ path, etag, body, patch, base }: LiveUpdate): void {
    const answer = this.#answers.get(path);
    if (!answer) return;
    if (body !== undefined) this.#put(answer, body, etag);
    else if (base === undefined || base === answer.etag) this.#put(answer, mergePatch(answer.state.peek().body, patch), etag);
    else {
      // A patch upon what we do not have: say what we have, and get the whole.
      answer.isSubscribed = false;
      this.#subscribe(answer, true);
    }
  }

  #onStale(path: string): void {
    const answer = this.#answers.get(path);
    if (!answer) return;
    answer.isDue = true;
    if (answer.holders > 0 && document.visibilityState === 'visible') void this.#fetch(answer);
  }

  /** The record has gone; or rights have, or the server wants to be rid of us: then the fetch finds out which. */
  #onEnded(path: string, { code, message }: LiveEnded['error']): void {
    const answer = this.#answers.get(path);
    if (!answer) return;
    answer.isSubscribed = false;
    answer.etag = null;
    if (code === 'not_found') this.#fail(answer, new Problem(404, '', message));
    else if (answer.holders > 0) void this.#fetch(answer);
    else answer.isDue = true;
  }

  /**
   * On a new connection nothing is subscribed yet. Each answer is asked for once, by its subscription where it has
   * one: that sends nothing if nothing has changed.
   */
  #onConnect(): void {
    const isFirst = !this.#wasConnected;
    this.#wasConnected = true;
    for (const answer of this.#answers.values()) {
      answer.isSubscribed = false;
      if (answer.holders === 0) answer.isDue = true;
      else if (this.#canBeLive(answer) && answer.state.peek().phase === 'ready' && !answer.fetching) this.#subscribe(answer, true);
      // What is being fetched is subscribed to afterwards; what an event brings may have been said in between.
      else if (!isFirst || !answer.fetching || this.#bound.has(answer.at)) void this.#fetch(answer);
    }
  }

  #canBeLive(answer: Answer): boolean {
    return !this.#bound.has(answer.at) && !this.#notLive.has(pathOf(answer.at));
  }

  #refreshHeld(which: (answer: Answer) => boolean): void {
    for (const answer of this.#answers.values()) {
      if (!which(answer)) continue;
      if (answer.holders > 0) void this.#fetch(answer);
      else answer.isDue = true;
    }
  }

  #rest(answer: Answer): void {
    answer.idleSince = Date.now();
    setTimeout(() => {
      if (answer.holders === 0) this.#unsubscribe(answer);
    }, 1_000);
    const idle = [...this.#answers.values()]
      .filter((one) => one.holders === 0 && one.idleSince > 0)
      .sort((one, other) => one.idleSince - other.idleSince);
    for (const [index, one] of idle.entries()) {
      if (index < idle.length - MAX_IDLE || Date.now() - one.idleSince > IDLE_MS) {
        this.#unsubscribe(one);
        one.fetching?.abort();
        this.#answers.delete(one.at);
      }
    }
  }

  #put(answer: Answer, body: unknown, etag: string | null): void {
    answer.etag = etag;
    answer.state.value = { phase: 'ready', body, problem: null, turn: answer.state.peek().turn + 1 };
  }

  #confirm(answer: Answer): void {
    const state = answer.state.peek();
    if (state.phase !== 'ready') answer.state.value = { ...state, phase: 'ready', problem: null };
  }

  #fail(answer: Answer, problem: Problem): void {
    const { body, turn } = answer.state.peek();
    // Who may not see it any more does not go on seeing what it was.
    if (problem.status === 403) answer.state.value = { phase: 'forbidden', body: null, problem, turn };
    else if (problem.status === 0 && body !== null) answer.state.value = { phase: 'offline', body, problem, turn };
    else answer.state.value = { phase: 'failed', body: problem.status === 404 ? null : body, problem, turn };
    if (problem.status === 403 || problem.status === 404) answer.etag = null;
  }
}

function pathOf(at: string): string {
  return at.split('?', 1)[0] ?? at;
}
