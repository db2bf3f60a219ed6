/**
 * Where the visitor is. The address bar is the state: pages read their filters from the query string and write them
 * back, so that back, forward, reload and a link sent to a colleague all show the same.
 */

import { batch, computed, signal } from '@preact/signals';
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
/** The path that a click leads to: `place` is there one frame later. */
export const bound = signal(location.pathname);
/** Rises with each move to another page, not with its filters: the new page's heading takes the focus then. */
export const moves = signal(0);

/** Runs out when the page that a click leads to is drawn. */
let onTheWay: ReturnType<typeof setTimeout> | undefined;
/** A page that gets no frames, because nobody looks at it, is drawn all the same. */
const FRAME_WITHIN_MS = 100;

/** The path alone: who shows it is not drawn anew with each filter. */
export const path = computed(() => place.value.path);
const query = computed(() => new URLSearchParams(place.value.search));

function arrive(next: Place): void {
  clearTimeout(onTheWay);
  onTheWay = undefined;
  const before = place.peek();
  batch(() => {
    bound.value = next.path;
    if (before.path === next.path && before.search === next.search) return;
    place.value = next;
    if (before.path !== next.path) moves.value++;
  });
}

/** Let the address bar and the history say `url`; whether that is another page than the one shown. */
function enter(url: URL, replace: boolean): boolean {
  if (url.href !== location.href) {
    if (replace) history.replaceState({ from: step()?.from, id: entry } satisfies Step, '', url);
    else history.pushState({ from: bound.peek(), id: (entry = ++lastId) } satisfies Step, '', url);
  }
  return url.pathname !== place.peek().path;
}

/** Go to an address of ours, such as `/customers?q=steel`. */
export function go(to: string, { replace = false }: { replace?: boolean } = {}): void {
  const isOtherPage = enter(new URL(to, location.href), replace);
  arrive(here());
  if (isOtherPage) scrollTo(0, 0);
}

/**
 * As `go`, for a click or key: another page is drawn after the frame that shows where it leads. Before it, a whole page
 * to draw would leave the click without an answer.
 */
export function follow(to: string): void {
  if (!enter(new URL(to, location.href), false)) {
    arrive(here());
    return;
  }
  bound.value = location.pathname;
  const come = () => {
    arrive(here());
    scrollTo(0, 0);
  };
  clearTimeout(onTheWay);
  const mine = (onTheWay = setTimeout(come, FRAME_WITHIN_MS));
  requestAnimationFrame(() => {
    if (onTheWay !== mine) return; // another way was taken since
    clearTimeout(mine);
    onTheWay = setTimeout(come);
  });
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
    (some) => {
      // Who is on the way to another page is not held back by what was left behind, such as a search half typed.
      if (bound.peek() !== place.peek().path) return;
      go(place.peek().path + withQuery(place.peek().search, some), { replace: true });
    },
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
  follow(link.pathname + link.search);
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
