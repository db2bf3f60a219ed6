/**
 * One channel while somebody looks at it: its messages, who types, who is here.
 *
 * Messages are fetched once and then heard. After every new connection what was missed is fetched, so that nothing
 * is missing whether the connection was recovered or not; each message stands once, because it is known by its id.
 */

import { computed, signal } from '@preact/signals';
import { asProblem, type Problem } from '../../api/problem';
import type { MessageView } from '../../api/types';
import type { HeardMessage, HeardPresence, HeardTyping } from '../../events';
import type { Connection } from '../../live/connection';
import { api } from '../../session/current';
import type { Outbox } from './outbox';
import { merged, stillPending, type Message } from './thread';

const PAGE = 50;
const ANSWER_MS = 10_000;
/** So long somebody is said to type after he was last heard doing it. */
const TYPES_MS = 4_000;
const TELL_EVERY_MS = 1_000;
/** Of what was missed; after more the thread begins anew with the newest page. */
const MAX_PAGES = 10;

export class Conversation {
  readonly messages = signal<readonly Message[]>([]);
  readonly phase = signal<'loading' | 'ready' | 'failed'>('loading');
  readonly problem = signal<Problem | null>(null);
  readonly hasOlder = signal(false);
  readonly isLoadingOlder = signal(false);
  readonly typing = signal<ReadonlyMap<number, string>>(new Map());
  /** User ids; null where presence is not told. */
  readonly here = signal<ReadonlySet<number> | null>(null);
  readonly pending = computed(() => stillPending(this.outbox.of(this.#channel), this.messages.value, this.#userId));
  readonly outbox: Outbox;

  readonly #connection: Connection;
  readonly #channel: string;
  readonly #room: string;
  readonly #userId: number;
  readonly #timers = new Map<number, ReturnType<typeof setTimeout>>();
  #older: string | null = null;
  #stops: (() => void)[] = [];
  #toldAt = -TELL_EVERY_MS;
  #read = 0;

  constructor(connection: Connection, outbox: Outbox, channel: string, room: string, userId: number) {
    this.#connection = connection;
    this.outbox = outbox;
    this.#channel = channel;
    this.#room = room;
    this.#userId = userId;
  }

  open(): void {
    const { socket } = this.#connection;
    const message = (told: HeardMessage) => {
      if (told.channel !== this.#channel) return;
      if (told.user.id !== null) this.#stopsTyping(told.user.id);
      this.#take([told]);
    };
    const types = (told: HeardTyping) => told.channel === this.#channel && told.user.id !== null && this.#types(told.user.id, told.user.name);
    const presence = ({ channel, userId, present }: HeardPresence) => {
      if (channel !== this.#channel || this.here.peek() === null) return;
      const now = new Set(this.here.peek());
      if (present) now.add(userId);
      else now.delete(userId);
      this.here.value = now;
    };
    socket.on('chat:message', message);
    socket.on('chat:typing', types);
    socket.on('chat:presence', presence);
    this.#stops = [
      () => socket.off('chat:message', message),
      () => socket.off('chat:typing', types),
      () => socket.off('chat:presence', presence),
      this.outbox.onTaken((at, taken) => at === this.#channel && this.#take([taken])),
      this.#connection.onConnect(() => void this.#enter()),
    ];
    if (this.#connection.isLive) void this.#enter();
    else void this.#catchUp();
  }

  close(): void {
    for (const stop of this.#stops) stop();
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#stops = [];
    if (this.#isOwnRoom && this.#connection.isLive) this.#connection.socket.emit('room:leave', { room: this.#room }, () => undefined);
  }

  /** Ask for everything anew. */
  refresh(): void {
    void this.#catchUp();
  }

  /** Who has left the channel meanwhile may not ask for it any more. */
  get #isOpen(): boolean {
    return this.#stops.length > 0;
  }

  /** The room of `general` is joined by the server at every connection. */
  get #isOwnRoom(): boolean {
    return this.#room.includes(':');
  }

  async #enter(): Promise<void> {
    const { socket } = this.#connection;
    if (this.#isOwnRoom) {
      await new Promise<void>((resolve) => socket.timeout(ANSWER_MS).emit('room:join', { room: this.#room }, () => resolve()));
      socket.timeout(ANSWER_MS).emit('chat:here', { channel: this.#channel }, (late, answer) => {
        if (!late && answer.ok) this.here.value = new Set(answer.userIds);
      });
    }
    // Only after the room is joined: what is said from now on is heard, what was said before is fetched.
    if (this.#isOpen) await this.#catchUp();
  }

  async #catchUp(): Promise<void> {
    try {
      const known = this.messages.peek().at(-1)?.id;
      const newest = await this.#page({});
      const oldest = newest.data.at(-1)?.id;
      if (known === undefined) {
        this.#older = newest.page.next;
        this.hasOlder.value = this.#older !== null;
      } else if (oldest !== undefined && oldest > known && newest.page.next !== null) {
        // More was said than one page holds: the pages between, oldest first.
        const missed: MessageView[] = [];
        let cursor: string | null = null;
        for (let pages = 0; pages === 0 || (cursor !== null && pages < MAX_PAGES); pages++) {
          const between = await this.#page({ after: known, ...(cursor ? { cursor } : {}) });
          missed.push(...between.data);
          cursor = between.page.next;
        }
        if (cursor === null) this.#take(missed);
        else {
          this.messages.value = [];
          this.#older = newest.page.next;
          this.hasOlder.value = this.#older !== null;
        }
      }
      this.#take(newest.data);
      this.problem.value = null;
      this.phase.value = 'ready';
    } catch (error) {
      this.problem.value = asProblem(error);
      if (this.phase.peek() === 'loading') this.phase.value = 'failed';
    }
  }

  #page(query: { cursor?: string; after?: number }): Promise<{ data: MessageView[]; page: { next: string | null } }> {
    return api.get('/api/chat/channels/{channel_id}/messages', {
      path: { channel_id: this.#channel },
      query: { limit: PAGE, ...query },
    });
  }

  async older(): Promise<void> {
    if (this.#older === null || this.isLoadingOlder.peek()) return;
    this.isLoadingOlder.value = true;
    try {
      const page = await this.#page({ cursor: this.#older });
      this.#older = page.page.next;
      this.hasOlder.value = this.#older !== null;
      this.#take(page.data);
    } catch (error) {
      this.problem.value = asProblem(error);
    } finally {
      this.isLoadingOlder.value = false;
    }
  }

  #take(told: readonly (MessageView | HeardMessage)[]): void {
    if (told.length === 0) return;
    this.messages.value = merged(this.messages.peek(), told);
  }

  // -- correcting -----------------------------------------------------------------------------------------------

  /** Raises `Problem`. */
  async change(message: Message, text: string): Promise<void> {
    const patch = (version: number) =>
      api.patch('/api/chat/messages/{message_id}', { path: { message_id: message.id }, body: { version, text } });
    try {
      this.#take([(await patch(message.version ?? 1)).data]);
    } catch (error) {
      // Only its author changes a message: another version is his own, from elsewhere, and this one is newer.
      const problem = asProblem(error);
      const current = problem.more.current as MessageView | null | undefined;
      if (!problem.isConflict || !current || current.deleted) throw problem;
      this.#take([(await patch(current.version)).data]);
    }
  }

  /** Raises `Problem`. */
  async remove(message: Message): Promise<void> {
    this.#take([(await api.delete('/api/chat/messages/{message_id}', { path: { message_id: message.id } })).data]);
  }

  /** Everything up to the newest message is read. */
  markRead(): void {
    const newest = this.messages.peek().at(-1)?.id ?? 0;
    if (newest <= this.#read) return;
    this.#read = newest;
    api
      .post('/api/chat/channels/{channel_id}/read', { path: { channel_id: this.#channel }, body: { messageId: newest } })
      .catch(() => {
        this.#read = 0; // the next message tries again
      });
  }

  // -- typing ---------------------------------------------------------------------------------------------------

  tellTyping(): void {
    const now = performance.now();
    if (now - this.#toldAt < TELL_EVERY_MS || !this.#connection.isLive) return;
    this.#toldAt = now;
    // Not volatile: that would drop it whenever something else is just being written, and none follows for a second.
    this.#connection.socket.emit('chat:typing', { channel: this.#channel }, () => undefined);
  }

  #types(userId: number, name: string): void {
    clearTimeout(this.#timers.get(userId));
    this.#timers.set(userId, setTimeout(() => this.#stopsTyping(userId), TYPES_MS));
    if (!this.typing.peek().has(userId)) this.typing.value = new Map([...this.typing.peek(), [userId, name]]);
  }

  #stopsTyping(userId: number): void {
    clearTimeout(this.#timers.get(userId));
    this.#timers.delete(userId);
    if (!this.typing.peek().has(userId)) return;
    const typing = new Map(this.typing.peek());
    typing.delete(userId);
    this.typing.value = typing;
  }
}
