import { beforeEach, describe, expect, it, vi } from 'vitest';
import { signal } from '@preact/signals';
import { Problem } from '../api/problem';
import type { Door, Fetched } from '../api/door';
import { Answers } from './answers';
import type { Connection } from './connection';

type Listener = (payload: never) => void;
type Ack = (late: Error | null, answer?: unknown) => void;

/** A server in a few lines: what it has, what it was asked, what it says. */
class Server {
  has = new Map<string, { etag: string; body: unknown }>();
  fetched: string[] = [];
  subscribed: { path: string; etag?: string }[] = [];
  unsubscribed: string[] = [];
  refusal: string | null = null;
  problem: Problem | null = null;
  isLive = true;
  /** Fetches wait for this, where it is set. */
  gate: Promise<void> | null = null;
  readonly #listeners = new Map<string, Listener>();
  #connect: () => void = () => undefined;
  #written: (path: string) => void = () => undefined;

  set(at: string, value: number): void {
    this.has.set(at, { etag: `"${value}"`, body: { data: value } });
  }

  say(event: string, payload: unknown): void {
    this.#listeners.get(event)?.(payload as never);
  }

  reconnect(): void {
    this.isLive = true;
    this.#connect();
  }

  write(path: string): void {
    this.#written(path);
  }

  get door(): Door {
    return {
      fetch: async (at: string, etag: string | null): Promise<Fetched> => {
        this.fetched.push(at);
        const had = this.has.get(at);
        await this.gate;
        if (this.problem) throw this.problem;
        if (!had) throw new Problem(404, 'No such thing', '');
        return had.etag === etag ? { unchanged: true } : { unchanged: false, ...had };
      },
      onWritten: (heard: (path: string) => void) => (this.#written = heard),
    } as unknown as Door;
  }

  get connection(): Connection {
    const server = this;
    return {
      state: signal('live'),
      get isLive() {
        return server.isLive;
      },
      onConnect: (tell: () => void) => (server.#connect = tell),
      socket: {
        on: (event: string, listener: Listener) => server.#listeners.set(event, listener),
        timeout: () => ({ emit: server.#emit }),
        emit: server.#emit,
      },
    } as unknown as Connection;
  }

  readonly #emit = (event: string, payload: { path: string; etag?: string }, ack: Ack) => {
    if (event === 'live:unsubscribe') {
      this.unsubscribed.push(payload.path);
      return;
    }
    this.subscribed.push(payload);
    const had = this.has.get(payload.path);
    if (this.refusal || !had) ack(null, { ok: false, error: { code: this.refusal ?? 'not_found', message: '' } });
    else ack(null, { ok: true, etag: had.etag, ...(had.etag === payload.etag ? {} : { body: had.body }) });
  };
}

const AT = '/api/customers?q=x';
const rest = () => new Promise((resolve) => setTimeout(resolve, 0));

describe('an answer that is looked at', () => {
  let server: Server;
  let answers: Answers;
  const shown = () => answers.state<{ data: number }>(AT).value;

  beforeEach(() => {
    server = new Server();
    server.set(AT, 1);
    answers = new Answers(server.door, server.connection);
  });

  it('is fetched and subscribed to once, however many look', async () => {
    answers.hold(AT);
    answers.hold(AT);
    await rest();
    expect(shown()).toMatchObject({ phase: 'ready', body: { data: 1 } });
    expect(server.fetched).toEqual([AT]);
    expect(server.subscribed).toEqual([{ path: AT, etag: '"1"' }]);
  });

  it('takes a whole, and a patch upon what it has', async () => {
    answers.hold(AT);
    await rest();
    server.say('live:update', { path: AT, etag: '"2"', body: { data: 2, rows: [1] } });
    server.say('live:update', { path: AT, etag: '"3"', base: '"2"', patch: { data: 3 } });
    expect(shown().body).toEqual({ data: 3, rows: [1] });
    expect(server.fetched.length).toBe(1);
  });

  it('takes no patch upon anything else, and says again what it has', async () => {
    answers.hold(AT);
    await rest();
    server.set(AT, 9);
    server.say('live:update', { path: AT, etag: '"9"', base: '"8"', patch: { data: 9 } });
    expect(server.subscribed.at(-1)).toEqual({ path: AT, etag: '"1"' });
    expect(shown().body).toEqual({ data: 9 });
  });

  it('knows the answer by the name that the server gives it, not by that of a coding', async () => {
    server.has.set(AT, { etag: '"1-gzip"', body: { data: 1 } });
    answers.hold(AT);
    await rest();
    server.has.set(AT, { etag: '"1"', body: { data: 1 } });
    server.reconnect();
    server.say('live:update', { path: AT, etag: '"2"', base: '"1"', patch: { data: 2 } });
    expect(shown().body).toEqual({ data: 2 });
  });

  it('is asked for again when a private one is stale', async () => {
    Object.assign(globalThis, { document: { visibilityState: 'visible' } });
    answers.hold(AT);
    await rest();
    server.set(AT, 2);
    server.say('live:stale', { path: AT });
    await rest();
    expect(shown().body).toEqual({ data: 2 });
  });

  it('is gone when the right to it has gone', async () => {
    answers.hold(AT);
    await rest();
    server.problem = new Problem(403, 'Not allowed', '');
    server.say('live:ended', { path: AT, error: { code: 'forbidden', message: '' } });
    await rest();
    expect(shown()).toMatchObject({ phase: 'forbidden', body: null });
  });

  it('is gone with its record, and nobody asks for that again', async () => {
    answers.hold(AT);
    await rest();
    server.fetched = [];
    server.say('live:ended', { path: AT, error: { code: 'not_found', message: 'No customer 1' } });
    await rest();
    expect(shown()).toMatchObject({ phase: 'failed', body: null, problem: { status: 404 } });
    expect(server.fetched).toEqual([]);
  });

  it('is asked for after a write of ours, but not if its page was left with that', async () => {
    server.refusal = 'not_live';
    const leave = answers.hold(AT);
    await rest();
    server.fetched = [];
    vi.useFakeTimers();
    server.write('/api/customers/1');
    await vi.runAllTimersAsync();
    expect(server.fetched).toEqual([AT]);
    server.write('/api/customers/1');
    leave();
    await vi.runAllTimersAsync();
    vi.useRealTimers();
    expect(server.fetched).toEqual([AT]);
  });

  it('gets the newest state once after a loss, and nothing if nothing has changed', async () => {
    answers.hold(AT);
    await rest();
    const { turn } = shown();
    server.reconnect();
    await rest();
    expect(shown().turn).toBe(turn);
    server.set(AT, 2);
    server.reconnect();
    await rest();
    expect(shown()).toMatchObject({ body: { data: 2 }, turn: turn + 1 });
    expect(server.fetched.length).toBe(1);
  });

  it('stays, marked as old, while the server cannot be reached', async () => {
    answers.hold(AT);
    await rest();
    server.isLive = false;
    server.problem = new Problem(0, 'No answer', '');
    answers.refresh(AT);
    await rest();
    expect(shown()).toMatchObject({ phase: 'offline', body: { data: 1 } });
    server.problem = null;
    server.set(AT, 2);
    server.reconnect();
    await rest();
    expect(shown()).toMatchObject({ phase: 'ready', body: { data: 2 }, problem: null });
  });

  it('of a route that is not live is fetched again after a loss', async () => {
    server.refusal = 'not_live';
    answers.hold(AT);
    await rest();
    server.reconnect();
    await rest();
    expect(server.fetched.length).toBe(2);
    expect(server.subscribed.length).toBe(1);
  });

  it('does not take what was fetched before what was heard', async () => {
    let open = () => {};
    server.gate = new Promise((resolve) => (open = resolve));
    answers.hold(AT);
    await rest();
    server.set(AT, 2);
    server.say('live:update', { path: AT, etag: '"2"', body: { data: 2 } });
    open();
    await rest();
    expect(shown().body).toEqual({ data: 2 });
  });

  it('is let go a moment after the last one looked, and is there again at once', async () => {
    vi.useFakeTimers();
    const release = answers.hold(AT);
    await vi.advanceTimersByTimeAsync(0);
    release();
    release();
    await vi.advanceTimersByTimeAsync(1_000);
    vi.useRealTimers();
    expect(server.unsubscribed).toEqual([AT]);
    answers.hold(AT);
    expect(shown()).toMatchObject({ phase: 'ready', body: { data: 1 } });
    await rest();
    expect(server.subscribed.length).toBe(2);
  });
});

it('an answer that comes by an event of its own is not subscribed to', async () => {
  const server = new Server();
  const at = '/api/dashboard/overview';
  server.set(at, 1);
  const answers = new Answers(server.door, server.connection);
  answers.bind(at, 'dashboard:update');
  answers.hold(at);
  await rest();
  server.say('dashboard:update', 2);
  expect(answers.state(at).value.body).toEqual({ success: true, data: 2 });
  expect(server.subscribed).toEqual([]);
});
