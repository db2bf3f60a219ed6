/**
 * The one way to the server.
 *
 * Every request carries the access token that is in force (renewed once if it has run out) and the last
 * `X-Consistency-Token`, so that whoever has written reads his own writes at every server. Refusals are raised as
 * `Problem`.
 */

import { effect } from '@preact/signals';
import type { Session } from '../session/session';
import { address, filled, type Query, type Scalar } from './address';
import { asProblem, problemOf } from './problem';
import type { Deletes, Gets, Patches, Posts, Puts } from './types';

interface Route {
  path: object;
  query: object;
  body: unknown;
  answer: unknown;
}

/** `{}` may be left out; what has a required member may not. */
type Part<Name extends string, Shape> = {} extends Shape ? { [N in Name]?: Shape } : { [N in Name]: Shape };
type BodyPart<Body> = [Body] extends [undefined] ? {} : undefined extends Body ? { body?: Body } : { body: Body };

/** What a route asks for: `path` gaps, `query`, `body`; each only where the route has it. */
export type Asked<R extends Route> = Part<'path', R['path']> & Part<'query', R['query']> & BodyPart<R['body']> & {
  signal?: AbortSignal;
};
type Rest<R extends Route> = {} extends Asked<R> ? [asked?: Asked<R>] : [asked: Asked<R>];

interface Loose {
  path?: object;
  query?: object;
  body?: unknown;
  signal?: AbortSignal;
}

/** A GET's body with what is needed to ask again cheaply; `unchanged` answers the etag that was sent. */
export type Fetched = { unchanged: true } | { unchanged: false; etag: string | null; body: unknown };

export class Door {
  readonly #session: Session;
  readonly #written = new Set<(path: string) => void>();
  #consistency: string | null = null;
  /** Ends the reads under way. */
  #reads = new AbortController();

  constructor(session: Session) {
    this.#session = session;
    effect(() => {
      if (!session.isLeaving.value) return;
      this.#reads.abort();
      this.#reads = new AbortController();
    });
  }

  get<P extends keyof Gets>(path: P, ...[asked]: Rest<Gets[P]>): Promise<Gets[P]['answer']> {
    return this.#answer('GET', path, asked) as Promise<Gets[P]['answer']>;
  }

  post<P extends keyof Posts>(path: P, ...[asked]: Rest<Posts[P]>): Promise<Posts[P]['answer']> {
    return this.#answer('POST', path, asked) as Promise<Posts[P]['answer']>;
  }

  put<P extends keyof Puts>(path: P, ...[asked]: Rest<Puts[P]>): Promise<Puts[P]['answer']> {
    return this.#answer('PUT', path, asked) as Promise<Puts[P]['answer']>;
  }

  patch<P extends keyof Patches>(path: P, ...[asked]: Rest<Patches[P]>): Promise<Patches[P]['answer']> {
    return this.#answer('PATCH', path, asked) as Promise<Patches[P]['answer']>;
  }

  delete<P extends keyof Deletes>(path: P, ...[asked]: Rest<Deletes[P]>): Promise<Deletes[P]['answer']> {
    return this.#answer('DELETE', path, asked) as Promise<Deletes[P]['answer']>;
  }

  /** The file behind a GET (a PDF, a CSV), with the name that the server gives it. */
  async file<P extends keyof Gets>(path: P, ...[asked]: Rest<Gets[P]>): Promise<{ blob: Blob; name: string }> {
    const answer = await this.send('GET', this.#at(path, asked), asked as Loose);
    const name = /filename="?([^";]+)"?/.exec(answer.headers.get('Content-Disposition') ?? '')?.[1];
    return { blob: await answer.blob(), name: name ?? 'download' };
  }

  /** GET `at`; with `etag`, the server may say that nothing has changed. Raises `Problem`. */
  async fetch(at: string, etag: string | null, signal: AbortSignal): Promise<Fetched> {
    const answer = await this.send('GET', at, { signal }, etag ? { 'If-None-Match': etag } : {});
    if (answer.status === 304) return { unchanged: true };
    return { unchanged: false, etag: answer.headers.get('ETag'), body: await answer.json() };
  }

  /** Told the path of every write that has succeeded. Returns how to stop listening. */
  onWritten(heard: (path: string) => void): () => void {
    this.#written.add(heard);
    return () => this.#written.delete(heard);
  }

  /** The response itself, which is a success or 304. Raises `Problem`. */
  async send(method: string, at: string, asked: Loose = {}, fields: Record<string, string> = {}): Promise<Response> {
    let token = await this.#session.freshToken();
    let answer = await this.#ask(method, at, asked, fields, token);
    if (answer.status === 401 && token !== null && (await this.#session.renew()) === 'renewed') {
      token = await this.#session.freshToken();
      answer = await this.#ask(method, at, asked, fields, token);
    }
    if (!answer.ok && answer.status !== 304) throw await problemOf(answer);
    this.#consistency = answer.headers.get('X-Consistency-Token') ?? this.#consistency;
    if (method !== 'GET') for (const heard of [...this.#written]) heard(at);
    return answer;
  }

  #at(path: string, asked?: Loose): string {
    return address(filled(path, asked?.path as Record<string, Scalar>), asked?.query as Query);
  }

  async #answer(method: string, path: string, asked?: Loose): Promise<unknown> {
    const answer = await this.send(method, this.#at(path, asked), asked);
    if (answer.status === 204) return undefined;
    const type = answer.headers.get('Content-Type') ?? '';
    return type.includes('json') ? answer.json() : answer.blob();
  }

  async #ask(
    method: string,
    at: string,
    { body, signal }: Loose,
    fields: Record<string, string>,
    token: string | null,
  ): Promise<Response> {
    const headers: Record<string, string> = { Accept: 'application/json, */*;q=0.5', ...fields };
    if (token) headers['Authorization'] = `Bearer ${token}`;
    if (this.#consistency) headers['X-Consistency-Token'] = this.#consistency;
    if (body !== undefined) headers['Content-Type'] = 'application/json';
    const ended = method === 'GET' ? AbortSignal.any([this.#reads.signal, ...(signal ? [signal] : [])]) : signal;
    const request: RequestInit = { method, headers, ...(ended ? { signal: ended } : {}) };
    if (body !== undefined) request.body = JSON.stringify(body);
    try {
      // The page keeps its own copies; a second one in the browser's cache would be older than ours.
      return await fetch(at, { ...request, cache: 'no-store' });
    } catch (error) {
      if (signal?.aborted) throw error;
      throw asProblem(error);
    }
  }
}
