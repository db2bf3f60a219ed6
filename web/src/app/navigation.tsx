import { useEffect, useRef } from 'preact/hooks';
import { useUser } from '../session/current';
import { Icon } from '../ui/icon';
import { useTongue } from '../words/tongue';
import { pageAt, preload } from './outlet';
import { GROUPS, PAGES, type Page } from './pages';
import { bound } from './router';
import { useUnread } from './unread';

const AROUND_PX = 32;

/** The pages that the signed-in user may open, by group. */
export function Navigation() {
  const { say } = useTongue();
  const { role } = useUser();
  const here = pageAt(bound.value)?.page;
  const list = useRef<HTMLElement>(null);
  useEffect(() => show(list.current?.querySelector('[aria-current]') ?? null, list.current?.parentElement ?? null), [here]);
  const isHere = (page: Page) => here === page || (here !== undefined && page.path !== '/' && here.path.startsWith(`${page.path}/`));
  return (
    <nav class="navigation" ref={list} aria-label={say('nav.label')}>
      {GROUPS.map((group) => {
        const pages = PAGES.filter((page) => page.group === group && page.icon && (!page.roles || page.roles.includes(role)));
        return pages.length === 0 ? null : (
          <section key={group} aria-label={say(`nav.group.${group}`)}>
            {group !== 'start' && <h2>{say(`nav.group.${group}`)}</h2>}
            <ul>
              {pages.map((page) => (
                <li key={page.path}>
                  <a
                    href={page.path}
                    aria-current={isHere(page) ? 'page' : undefined}
                    onPointerEnter={() => preload(page.path)}
                    onFocus={() => preload(page.path)}
                  >
                    {page.icon && <Icon name={page.icon} />}
                    <span>{say(page.title)}</span>
                    {page.path === '/chat' && <Unread />}
                  </a>
                </li>
              ))}
            </ul>
          </section>
        );
      })}
    </nav>
  );
}

/** Scroll `box` as little as brings `link` into it; the window stays where it is. */
function show(link: Element | null, box: Element | null): void {
  if (!link || !box) return;
  const { top, bottom } = link.getBoundingClientRect();
  const frame = box.getBoundingClientRect();
  box.scrollTop += Math.max(0, bottom + AROUND_PX - frame.bottom) - Math.max(0, frame.top - top + AROUND_PX);
}

function Unread() {
  const { say } = useTongue();
  const unread = useUnread();
  if (unread === '') return null;
  return (
    <span class="bell-count number">
      <span aria-hidden="true">{unread}</span>
      <span class="unseen"> {say('nav.unread', { count: unread })}</span>
    </span>
  );
}
