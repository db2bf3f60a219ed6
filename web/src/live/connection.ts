/**
 * The one socket of this page: opened at sign-in, closed at sign-out, carried over every loss between.
 *
 * `state` says how it stands; `onConnect` is told after every (re)connection, because events of the time between are
 * not heard again.
 */

import { effect, signal } from '@preact/signals';
import { io, type Socket } from 'socket.io-client';
import type { Session } from '../session/session';
import type { Heard, Said } from './protocol';

export type Live = 'connecting' | 'live' | 'reconnecting' | 'offline';

/** How long a connection may be lost before it is called offline. */
const OFFLINE_AFTER_MS = 20_000;
/** How long to wait, after the server has sent us away, before asking for a token and before coming back with it. */
const ASK_AFTER_MS = 1_500;
const BACK_OFF_MS = 5_000;

/** Somewhere between half of it and all of it. */
function spread(durationMs: number): number {
  return durationMs * (0.5 + Math.random() / 2);
}

export class Connection {
  readonly state = signal<Live>('connecting');
  /** When it was last known to be whole. */
  readonly asOf = signal<Date | null>(null);
  readonly socket: Socket<Heard, Said>;

  readonly #session: Session;
  readonly #onConnect = new Set<() => void>();
  #stops: Array<() => void> = [];
  #isOpen = false;
  #offline: ReturnType<typeof setTimeout> | undefined;
  #comeBack: ReturnType<typeof setTimeout> | undefined;

  constructor(session: Session) {
    this.#session = session;
    this.socket = io({
      path: '/socket.io/',
      autoConnect: false,
      // Asked at each attempt: after a renewal the next one carries the new token.
      auth: (give) => give({ token: session.token.peek() }),
      transports: ['websocket', 'polling'],
      tryAllTransports: true,
      reconnectionDelayMax: 5_000,
    });
    this.socket.on('connect', () => this.#connected());
    this.socket.on('disconnect', () => this.#lost());
    this.socket.on('connect_error', (error) => this.#refused(error.message));
  }

  get isLive(): boolean {
    return this.socket.connected;
  }

  /** Called after every connection, the first included. Returns how to stop that. */
  onConnect(tell: () => void): () => void {
    this.#onConnect.add(tell);
    return () => this.#onConnect.delete(tell);
  }

  open(): void {
    if (this.#isOpen) return;
    this.#isOpen = true;
    this.state.value = 'connecting';
    const online = () => {
      // A connection that outlived the gap is not lost, and the client tells us nothing.
      if (this.socket.connected) this.#connected();
      else this.socket.connect();
    };
    const offline = () => this.#put('offline');
    addEventListener('online', online);
    addEventListener('offline', offline);
    this.#stops = [
      () => removeEventListener('online', online),
      () => removeEventListener('offline', offline),
      effect(() => {
        const token = this.#session.token.value;
        if (token && this.socket.connected) this.#renew(token);
      }),
    ];
    this.#offline = setTimeout(() => this.#put('offline'), OFFLINE_AFTER_MS);
    this.socket.connect();
  }

  close(): void {
    this.#isOpen = false;
    for (const stop of this.#stops) stop();
    clearTimeout(this.#offline);
    clearTimeout(this.#comeBack);
    this.socket.disconnect();
  }

  /** Try now instead of at the next attempt. */
  retry(): void {
    if (!this.socket.connected) this.socket.disconnect().connect();
  }

  /** Keeps the connection open past the old token; if it may not be kept, a new one is made with the new token. */
  #renew(token: string): void {
    this.socket.timeout(OFFLINE_AFTER_MS).emit('auth:refresh', { token }, (late, ack) => {
      if (late || ack?.ok || !this.#isOpen) return;
      this.socket.disconnect().connect();
    });
  }

  #connected(): void {
    clearTimeout(this.#offline);
    this.#put('live');
    for (const tell of [...this.#onConnect]) tell();
  }

  #lost(): void {
    if (!this.#isOpen) return;
    this.#put(navigator.onLine ? 'reconnecting' : 'offline');
    clearTimeout(this.#offline);
    this.#offline = setTimeout(() => this.#put('offline'), OFFLINE_AFTER_MS);
    // The stock client comes back by itself, unless the server said to stay away: then the session decides.
    if (!this.socket.active) this.#askToComeBack();
  }

  #refused(reason: string): void {
    if (this.state.peek() === 'live') this.#put('reconnecting');
    if (this.socket.active) return; // not refused, not reached: the client goes on trying
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
    if (!this.#isOpen) return;
    clearTimeout(this.#comeBack);
    this.#comeBack = setTimeout(() => this.socket.connect(), spread(BACK_OFF_MS));
  }

  #put(live: Live): void {
    if (!this.#isOpen) return;
    // Until now all was heard; from now on it stands as of this moment.
    if (live === 'live' || this.state.peek() === 'live') this.asOf.value = new Date();
    this.state.value = live;
  }
}
