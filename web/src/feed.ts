/**
 * The overview as it stands, kept true.
 *
 * It is fetched at the start and after every (re)connection, because events of the time between are not heard
 * again; from then on `dashboard:update` carries the whole of it. While there is no live connection it is fetched
 * now and then instead: slower, never wrong.
 */

import { io, type Socket } from 'socket.io-client';
import type { ClientToServerEvents, ServerToClientEvents } from './events';
import { Observable } from './observable';
import { changes, type Changes, type Figure, type Overview } from './overview';
import { asProblem, type Problem } from './problem';
import type { Session } from './session';

export type Live = 'connecting' | 'live' | 'reconnecting' | 'offline';

export type Feed = {
  live: Live;
  overview: Overview | null;
  /** When the server last confirmed the numbers. */
  asOf: Date | null;
  /** Set while there is no overview to show, or the last fetch failed. */
  problem: Problem | null;
  /** What changed lately; forgotten after `MARK_MS`. */
  changed: Changes;
};

const OVERVIEW = '/api/dashboard/overview';
const MARK_MS = 8_000;
const POLL_MS = 15_000;
/** How long a connection may be lost before it is called offline. */
const OFFLINE_AFTER_MS = 20_000;
/** How long to wait, after the server has sent us away, before asking for a token and before coming back with it. */
const ASK_AFTER_MS = 1_500;
const BACK_OFF_MS = 5_000;

/** Somewhere between half of it and all of it. */
function spread(durationMs: number): number {
  return durationMs * (0.5 + Math.random() / 2);
}

export class OverviewFeed {
  readonly state = new Observable<Feed>({
    live: 'connecting',
    overview: null,
    asOf: null,
    problem: null,
    changed: new Map(),
  });

  readonly #session: Session;
  readonly #socket: Socket<ServerToClientEvents, ClientToServerEvents>;
  readonly #stops: Array<() => void> = [];
  readonly #marks = new Map<Figure, ReturnType<typeof setTimeout>>();
  readonly #aborter = new AbortController();
  #offline: ReturnType<typeof setTimeout> | undefined;
  #comeBack: ReturnType<typeof setTimeout> | undefined;
  #heard = 0;
  #fetching = false;
  #fetchAgain = false;

  constructor(session: Session) {
    this.#session = session;
    this.#socket = io({
      path: '/socket.io/',
      // Asked at each attempt: after a renewal the next one carries the new token.
      auth: (give) => give({ token: session.token.value }),
      transports: ['websocket', 'polling'],
      tryAllTransports: true,
      reconnectionDelayMax: 5_000,
    });
    this.#socket.on('connect', () => this.#onConnect());
    this.#socket.on('dashboard:update', (overview) => {
      this.#heard++;
      this.#show(overview);
    });
    this.#socket.on('disconnect', () => this.#onLost());
    this.#socket.on('connect_error', (error) => this.#onRefused(error.message));
    this.#stops.push(
      session.token.listen((token) => {
        if (token && this.#socket.connected) this.#renewSocket(token);
      }),
    );
    const poll = setInterval(() => {
      if (!this.#socket.connected && document.visibilityState === 'visible') void this.fetch();
    }, POLL_MS);
    const online = () => {
      // A connection that outlived the gap is not lost, and the client tells us nothing.
      if (this.#socket.connected) this.#put({ live: 'live' });
      else this.#socket.connect();
      void this.fetch();
    };
    const offline = () => this.#put({ live: 'offline' });
    addEventListener('online', online);
    addEventListener('offline', offline);
    this.#stops.push(
      () => clearInterval(poll),
      () => removeEventListener('online', online),
      () => removeEventListener('offline', offline),
    );
    this.#offline = setTimeout(() => this.#put({ live: 'offline' }), OFFLINE_AFTER_MS);
    void this.fetch();
  }

  close(): void {
    for (const stop of this.#stops) stop();
    for (const mark of this.#marks.values()) clearTimeout(mark);
    clearTimeout(this.#offline);
    clearTimeout(this.#comeBack);
    this.#aborter.abort();
    this.#socket.disconnect();
  }

  /** Ask for the overview. One request at a time; whoever asks during one gets a further one. */
  async fetch(): Promise<void> {
    if (this.#fetching) {
      this.#fetchAgain = true;
      return;
    }
    this.#fetching = true;
    do {
      this.#fetchAgain = false;
      const heard = this.#heard;
      try {
        const overview = await this.#session.get<Overview>(OVERVIEW, this.#aborter.signal);
        // What was heard since may be newer than what was asked for before.
        if (heard === this.#heard) this.#show(overview);
      } catch (error) {
        if (this.#aborter.signal.aborted) return;
        this.#put({ problem: asProblem(error) });
      }
    } while (this.#fetchAgain);
    this.#fetching = false;
  }

  /** Keeps the connection open past the old token; if it may not be kept, a new one is made with the new token. */
  #renewSocket(token: string): void {
    this.#socket.timeout(OFFLINE_AFTER_MS).emit('auth:refresh', { token }, (late, ack) => {
      if (late || ack?.ok || this.#aborter.signal.aborted) return;
      this.#socket.disconnect().connect();
    });
  }

  #onConnect(): void {
    clearTimeout(this.#offline);
    this.#put({ live: 'live' });
    void this.fetch();
  }

  #onLost(): void {
    this.#put({ live: navigator.onLine ? 'reconnecting' : 'offline' });
    clearTimeout(this.#offline);
    this.#offline = setTimeout(() => this.#put({ live: 'offline' }), OFFLINE_AFTER_MS);
    // The stock client comes back by itself, unless the server said to stay away: then the session decides.
    if (!this.#socket.active) this.#askToComeBack();
  }

  #onRefused(reason: string): void {
    if (this.state.value.live === 'live') this.#put({ live: 'reconnecting' });
    if (this.#socket.active) return; // not refused, not reached: the client goes on trying
    if (reason === 'Token expired' || reason === 'Authentication required') this.#askToComeBack();
    else this.#comeBackLater();
  }

  /**
   * A session that has ended is found out here; one that stands may connect again, but not at once. The question
   * waits a moment: if another tab signed out, it tells us, and many who were sent away should not ask together.
   */
  #askToComeBack(): void {
    clearTimeout(this.#comeBack);
    this.#comeBack = setTimeout(async () => {
      if ((await this.#session.renew()) !== 'ended') this.#comeBackLater();
    }, spread(ASK_AFTER_MS));
  }

  #comeBackLater(): void {
    if (this.#aborter.signal.aborted) return;
    clearTimeout(this.#comeBack);
    this.#comeBack = setTimeout(() => this.#socket.connect(), spread(BACK_OFF_MS));
  }

  #show(overview: Overview): void {
    const before = this.state.value.overview;
    const fresh = before ? changes(before, overview) : new Map<Figure, number>();
    for (const figure of fresh.keys()) {
      clearTimeout(this.#marks.get(figure));
      this.#marks.set(
        figure,
        setTimeout(() => this.#unmark(figure), MARK_MS),
      );
    }
    const changed = fresh.size ? new Map([...this.state.value.changed, ...fresh]) : this.state.value.changed;
    this.#put({ overview, asOf: new Date(), problem: null, changed });
  }

  #unmark(figure: Figure): void {
    const changed = new Map(this.state.value.changed);
    changed.delete(figure);
    this.#marks.delete(figure);
    this.#put({ changed });
  }

  #put(some: Partial<Feed>): void {
    if (!this.#aborter.signal.aborted) this.state.set({ ...this.state.value, ...some });
  }
}
