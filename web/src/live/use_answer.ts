/** Answers of the server in components. */

import { signal } from '@preact/signals';
import { useEffect, useState } from 'preact/hooks';
import { address, filled, type Query, type Scalar } from '../api/address';
import type { Gets } from '../api/types';
import type { Answered } from './answers';
import { answers } from './current';

type Needed<Name extends string, Shape> = {} extends Shape ? { [N in Name]?: Shape } : { [N in Name]: Shape };
export type Question<P extends keyof Gets> = Needed<'path', Gets[P]['path']> & Needed<'query', Gets[P]['query']>;
type Rest<P extends keyof Gets> = {} extends Question<P> ? [question?: Question<P> | null] : [question: Question<P> | null];

const NOTHING = signal<Answered<never>>({ phase: 'loading', body: null, problem: null, turn: 0 });

export interface Held<Body> extends Answered<Body> {
  /** Ask again now. */
  refresh: () => void;
}

/** The address of a question; what is equal is one answer. */
export function addressOf<P extends keyof Gets>(path: P, question?: Question<P> | null): string {
  const asked = question as { path?: Record<string, Scalar>; query?: Query } | null | undefined;
  return address(filled(path, asked?.path), asked?.query);
}

/**
 * The answer of GET `path`, kept true while the component is there. `null` as the question: ask nothing yet.
 *
 *     const customer = useAnswer('/api/customers/{customer_id}', { path: { customer_id: 17 } });
 */
export function useAnswer<P extends keyof Gets>(path: P, ...[question]: Rest<P>): Held<Gets[P]['answer']> {
  const at = question === null ? null : addressOf(path, question);
  useEffect(() => (at === null ? undefined : answers.hold(at)), [at]);
  const state = at === null ? NOTHING.value : answers.state<Gets[P]['answer']>(at).value;
  return { ...state, refresh: () => at !== null && answers.refresh(at) };
}

/** GETs that answer a list with `page.next`. */
export type Lists = {
  [P in keyof Gets]: Gets[P]['answer'] extends { data: readonly unknown[]; page: { next: string | null } } ? P : never;
}[keyof Gets];
export type RowOf<P extends Lists> = Gets[P]['answer'] extends { data: readonly (infer Row)[] } ? Row : never;

export interface Listing<Row> {
  /** The address of the first page; null while nothing is asked. */
  at: string | null;
  phase: Answered<unknown>['phase'];
  problem: Answered<unknown>['problem'];
  rows: readonly Row[];
  /** How many there are in all, where the server counts them. */
  total: number | null;
  /** Show the next page too; null when all are shown. */
  more: (() => void) | null;
  isLoadingMore: boolean;
  refresh: () => void;
}

interface Page {
  data: readonly unknown[];
  page: { next: string | null; total?: number | null };
}

const NO_ROWS: readonly unknown[] = [];

/** How many pages of a list were shown last: who comes back to it finds them again. */
const pagesShown = new Map<string, number>();
const MAX_LISTS = 50;

function rememberPages(first: string, pages: number): void {
  pagesShown.delete(first);
  if (pages > 1) pagesShown.set(first, pages);
  const oldest = pagesShown.keys().next().value;
  if (pagesShown.size > MAX_LISTS && oldest !== undefined) pagesShown.delete(oldest);
}

/** A list by pages, each of them kept true; `more` adds the next. */
export function useListing<P extends Lists>(path: P, ...[question]: Rest<P>): Listing<RowOf<P>> {
  const first = question === null ? null : addressOf(path, question);
  const [wanted, setWanted] = useState<{ first: string | null; pages: number }>({ first: null, pages: 1 });
  const pages = wanted.first === first ? wanted.pages : (pagesShown.get(first ?? '') ?? 1);
  const chain: { at: string; state: Answered<Page> }[] = [];
  let at = first;
  for (let page = 0; page < pages && at !== null; page++) {
    const state: Answered<Page> = answers.state<Page>(at).value;
    chain.push({ at, state });
    const next: string | null = state.body?.page.next ?? null;
    at = next === null ? null : `${first}${first?.includes('?') ? '&' : '?'}cursor=${encodeURIComponent(next)}`;
  }
  const showPages = (count: number) => {
    if (first !== null) rememberPages(first, count);
    setWanted({ first, pages: count });
  };
  const held = chain.map((page) => page.at).join(' ');
  useEffect(() => {
    const releases = held ? held.split(' ').map((one) => answers.hold(one)) : [];
    return () => releases.forEach((release) => release());
  }, [held]);

  const top = chain[0]?.state ?? NOTHING.value;
  const last = chain.at(-1)?.state ?? top;
  const failed = chain.find((page) => page.state.problem)?.state;
  return {
    at: first,
    phase: failed && top.phase === 'ready' ? failed.phase : top.phase,
    problem: failed?.problem ?? null,
    // One page's rows as they are: whoever compares them sees at once that nothing has changed.
    rows: (chain.length === 1 ? (top.body?.data ?? NO_ROWS) : chain.flatMap((page) => page.state.body?.data ?? NO_ROWS)) as readonly RowOf<P>[],
    total: top.body?.page.total ?? null,
    more: last.body?.page.next ? () => showPages(chain.length + 1) : null,
    isLoadingMore: chain.length > 1 && last.phase === 'loading',
    refresh: () => chain.forEach((page) => answers.refresh(page.at)),
  };
}
