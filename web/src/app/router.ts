/**
 * Where the visitor is. The address bar is the state: pages read their filters from the query string and write them
 * back, so that back, forward, reload and a link sent to a colleague all show the same.
 */

import { computed, signal } from '@preact/signals';
import { withQuery, type Place } from './route';

/** Kept with each entry of the browser's history. */
interface Step {
  /** The page that led to it. */
  from: string | undefined;
  /** Names the entry. */
  id: number;
}

/** How far each entry is scrolled down, px. In memory: a reload begins at the top. */
const scrolled = new Map<number, number>();
const MAX_SCROLLED = 200;
/** A page that is drawn anew may take so long until it is as tall as it was. */
const TALL_WITHIN_MS = 600;
let lastId = Date.now();
/** The entry that is shown. */
let entry = lastId;

function step(): Step | null {
  return history.state as Step | null;
}

const here = (): Place => ({ path: location.pathname, search: location.search });

export const place = signal<Place>(here());
/** Rises with each move to another page, not with its filters: the new page's heading takes the focus then. */
export const moves = signal(0);

const query = computed(() => new URLSearchParams(place.value.search));

function arrive(next: Place): void {
  const before = place.peek();
  if (before.path === next.path && before.search === next.search) return;
  place.value = next;
  if (before.path !== next.path) moves.value++;
}

/** Go to an address of ours, such as `/customers?q=steel`. */
export function go(to: string, { replace = false }: { replace?: boolean } = {}): void {
  const url = new URL(to, location.href);
  if (url.href !== location.href) {
    if (replace) history.replaceState({ from: step()?.from, id: entry } satisfies Step, '', url);
    else history.pushState({ from: place.peek().path, id: (entry = ++lastId) } satisfies Step, '', url);
  }
  const isOtherPage = url.pathname !== place.peek().path;
  arrive({ path: url.pathname, search: url.search });
  if (isOtherPage) scrollTo(0, 0);
}

/** Done here, back to `to`: one step back if the visitor came from there, so that the way back does not lead here. */
export function leaveFor(to: string): void {
  if (step()?.from === to) history.back();
  else go(to, { replace: true });
}

/** The query string's fields, and how to replace some of them in place. */
export function useQuery(): [URLSearchParams, (some: Record<string, string | null>) => void] {
  return [
    query.value,
    (some) => go(place.peek().path + withQuery(place.peek().search, some), { replace: true }),
  ];
}

/** A plain click on a link to a page of ours is ours; with a modifier it is the browser's. */
function onClick(event: MouseEvent): void {
  if (event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  const link = event.target instanceof Element ? event.target.closest('a') : null;
  if (!link?.href || link.target || link.hasAttribute('download') || link.origin !== location.origin) return;
  if (link.pathname.startsWith('/api/') || link.pathname === '/docs') return;
  if (link.hash && link.pathname === location.pathname && link.search === location.search) return;
  event.preventDefault();
  go(link.pathname + link.search);
}

function noteScroll(): void {
  scrolled.set(entry, scrollY);
  const oldest = scrolled.keys().next().value;
  if (scrolled.size > MAX_SCROLLED && oldest !== undefined) scrolled.delete(oldest);
}

/** Scroll to where the entry was left, as soon as the page is tall enough. */
function returnTo(top: number): void {
  const giveUp = performance.now() + TALL_WITHIN_MS;
  const look = () => {
    const isTall = document.documentElement.scrollHeight >= top + innerHeight;
    if (isTall || performance.now() > giveUp) scrollTo(0, top);
    else requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
}

/** Follow links and the browser's own back and forward; called once. */
export function startRouter(): void {
  history.scrollRestoration = 'manual';
  history.replaceState({ from: step()?.from, id: entry } satisfies Step, '');
  addEventListener('scroll', noteScroll, { passive: true });
  addEventListener('popstate', () => {
    entry = step()?.id ?? ++lastId;
    const top = scrolled.get(entry) ?? 0;
    arrive(here());
    returnTo(top);
  });
  document.addEventListener('click', onClick);
}
