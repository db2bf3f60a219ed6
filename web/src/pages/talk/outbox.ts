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
export const MAX_PENDING = 50;

type Said = Pending & { channel: string };
type Told = (channel: string, message: MessageView) => void;

export class Outbox {
  readonly #said = signal<readonly Said[]>([]);
  /** Nothing more can be said, in any channel, until something has been taken. */
  readonly isFull = computed(() => this.#said.value.length >= MAX_PENDING);
  readonly #connection: Pick<Connection, 'isLive' | 'onConnect' | 'socket'>;
  readonly #told = new Set<Told>();
  readonly #stop: () => void;

  /** `isOurs`: whether who is signed in is who has said it. */
  constructor(connection: Pick<Connection, 'isLive' | 'onConnect' | 'socket'>, isOurs: () => boolean) {
    this.#connection = connection;
    this.#stop = connection.onConnect(() => {
      if (!isOurs()) this.#said.value = [];
      for (const each of this.#said.peek()) if (each.refusal === null) this.#send(each);
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
    if (this.#connection.isLive) this.#send(said);
    // Otherwise it goes out when the connection is back.
    return true;
  }

  retry(key: string): void {
    this.#put(key, null);
    const said = this.#said.peek().find((each) => each.key === key);
    if (said) this.#send(said);
  }

  discard(key: string): void {
    this.#said.value = this.#said.peek().filter((each) => each.key !== key);
  }

  /** Somebody else is here: what was said is nobody's to send any more. */
  close(): void {
    this.#stop();
    this.#said.value = [];
  }

  #send({ channel, key, text }: Said): void {
    this.#connection.socket.timeout(ANSWER_MS).emit('chat:message', { channel, text, key }, (late, answer) => {
      if (late) {
        if (this.#connection.isLive) this.#put(key, '');
        return;
      }
      if (!answer.ok) {
        this.#put(key, answer.error.message);
        return;
      }
      this.discard(key);
      for (const told of this.#told) told(channel, answer.message);
    });
  }

  #put(key: string, refusal: string | null): void {
    this.#said.value = this.#said.peek().map((each) => (each.key === key ? { ...each, refusal } : each));
  }
}

/** 128 random bits. (`crypto.randomUUID` is there over HTTPS and on localhost only.) */
function freshKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
