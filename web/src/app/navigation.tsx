import { useUser } from '../session/current';
import { Icon } from '../ui/icon';
import { useTongue } from '../words/tongue';
import { pageAt, preload } from './outlet';
import { GROUPS, PAGES, type Page } from './pages';
import { bound } from './router';

/** The pages that the signed-in user may open, by group. */
export function Navigation() {
  const { say } = useTongue();
  const { role } = useUser();
  const here = pageAt(bound.value)?.page;
  const isHere = (page: Page) => here === page || (here !== undefined && page.path !== '/' && here.path.startsWith(`${page.path}/`));
  return (
    <nav class="navigation" aria-label={say('nav.label')}>
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
