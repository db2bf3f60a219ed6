/**
 * What the visitor has said and the server has not taken yet, in any channel.
 *
 * It goes out as soon as there is a connection, wherever the visitor is by then: a conversation is closed with its
 * page, what was said in it is not lost with it.
 */

import { computed, signal } from '@preact/signals';
import type { MessageView } from '../../api/types';
import type { Connection } from '../../live/connection';
import type { Pending } from './thread';

const ANSWER_MS = 10_000;
/** Who is to wait longer is told so, and sends it again when he likes. */
const MAX_PAUSE_MS = 10_000;
export const MAX_PENDING = 50;

type Said = Pending & { channel: string };
type Line = Pick<Connection, 'isLive' | 'onConnect' | 'socket'>;
type Told = (channel: string, message: MessageView) => void;

export class Outbox {
  readonly #said = signal<readonly Said[]>([]);
  /** Nothing more can be said, in any channel, until something has been taken. */
  readonly isFull = computed(() => this.#said.value.length >= MAX_PENDING);
  readonly #connection: Line;
  readonly #told = new Set<Told>();
  readonly #stop: () => void;

  /** The attempt that is on its way; one at a time, so that all stands in the order in which it was said. */
  #onItsWay: symbol | null = null;
  /** Runs while the server wants to be left alone. */
  #pause: ReturnType<typeof setTimeout> | null = null;

  /** `isOurs`: whether who is signed in is who has said it. */
  constructor(connection: Line, isOurs: () => boolean) {
    this.#connection = connection;
    this.#stop = connection.onConnect(() => {
      if (!isOurs()) this.#said.value = [];
      this.#onItsWay = null;
      this.#goOn();
    });
  }

  /** What waits in a channel, oldest first. */
  of(channel: string): readonly Pending[] {
    return this.#said.value.filter((each) => each.channel === channel);
  }

  /** `told` hears of every message that the server has taken. Returns how to stop that. */
  onTaken(told: Told): () => void {
    this.#told.add(told);
    return () => this.#told.delete(told);
  }

  /** False if there is no room for it: it is still the caller's to keep. */
  say(channel: string, text: string): boolean {
    if (this.isFull.peek()) return false;
    const said = { channel, key: freshKey(), text, at: new Date().toISOString(), refusal: null };
    this.#said.value = [...this.#said.peek(), said];
    this.#sendNext();
    return true;
  }

  retry(key: string): void {
    this.#put(key, null);
    this.#sendNext();
  }

  discard(key: string): void {
    this.#said.value = this.#said.peek().filter((each) => each.key !== key);
  }

  /** Somebody else is here: what was said is nobody's to send any more. */
  close(): void {
    this.#stop();
    if (this.#pause) clearTimeout(this.#pause);
    this.#said.value = [];
  }

  /** What cannot go out now does when the connection is back, or what goes before it is done. */
  #sendNext(): void {
    const next = this.#said.peek().find((each) => each.refusal === null);
    if (!next || this.#onItsWay !== null || this.#pause || !this.#connection.isLive) return;
    const { channel, key, text } = next;
    const attempt = (this.#onItsWay = Symbol());
    this.#connection.socket.timeout(ANSWER_MS).emit('chat:message', { channel, text, key }, (late, answer) => {
      // What an earlier connection did not answer has been sent again since.
      if (this.#onItsWay !== attempt || (late && !this.#connection.isLive)) return;
      this.#onItsWay = null;
      if (late) this.#put(key, '');
      else if (answer.ok) {
        this.discard(key);
        for (const told of this.#told) told(channel, answer.message);
      } else if (answer.error.retryAfterMs && answer.error.retryAfterMs <= MAX_PAUSE_MS) {
        this.#pause = setTimeout(() => this.#goOn(), answer.error.retryAfterMs);
      } else this.#put(key, answer.error.message);
      this.#sendNext();
    });
  }

  #goOn(): void {
    if (this.#pause) clearTimeout(this.#pause);
    this.#pause = null;
    this.#sendNext();
  }

  #put(key: string, refusal: string | null): void {
    this.#said.value = this.#said.peek().map((each) => (each.key === key ? { ...each, refusal } : each));
  }
}

/** 128 random bits. (`crypto.randomUUID` is there over HTTPS and on localhost only.) */
function freshKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
