/** The page that the address means, loaded when it is first needed. */

import { Component, type ComponentChildren, type ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { useUser } from '../session/current';
import { Button } from '../ui/button';
import { Empty } from '../ui/empty';
import { PageHeader } from '../ui/page_header';
import { Skeleton } from '../ui/skeleton';
import { useTongue } from '../words/tongue';
import { PAGES, type Page, type PageProps } from './pages';
import { match, type Params } from './route';
import { path } from './router';

type Loaded = ComponentType<PageProps>;
const loaded = new Map<Page, Loaded>();

/** The page of a path, with what is in its gaps; null: there is none. */
export function pageAt(path: string): { page: Page; params: Params } | null {
  for (const page of PAGES) {
    const params = match(page.path, path);
    if (params) return { page, params };
  }
  return null;
}

/** The component of a page, loaded if it is not there yet. */
async function fetched(page: Page): Promise<Loaded> {
  const module = loaded.get(page) ?? (await page.load()).default;
  loaded.set(page, module);
  return module;
}

/** Load the page of `path` before it is asked for. */
export function preload(path: string): void {
  const found = pageAt(path);
  if (found) fetched(found.page).catch(() => undefined); // whoever opens it will be told
}

export function Outlet() {
  const found = pageAt(path.value);
  const user = useUser();
  if (!found) return <NotFound />;
  const { page, params } = found;
  if (page.roles && !page.roles.includes(user.role)) return <Forbidden page={page} />;
  return (
    <Guard key={path.value}>
      <Chunk key={page.path} page={page} params={params} />
    </Guard>
  );
}

function Chunk({ page, params }: { page: Page; params: Params }) {
  const { say } = useTongue();
  const [isFailed, setFailed] = useState(false);
  const [Shown, setShown] = useState<Loaded | undefined>(() => loaded.get(page));
  useEffect(() => {
    let isWanted = true;
    // It may have come between the drawing and now: then there is nothing to wait for, but still to draw.
    fetched(page).then(
      (module) => isWanted && setShown(() => module),
      () => isWanted && setFailed(true),
    );
    return () => {
      isWanted = false;
    };
  }, [page]);
  if (Shown) return <Shown params={params} />;
  if (isFailed) return <Broken />;
  return (
    <div class="page">
      <h1 class="unseen">{say(page.title)}</h1>
      <Skeleton lines={10} />
    </div>
  );
}

/** A page that breaks does not take the shell with it. */
class Guard extends Component<{ children: ComponentChildren }, { error: unknown }> {
  override state: { error: unknown } = { error: null };

  static override getDerivedStateFromError(error: unknown) {
    console.error(error);
    return { error };
  }

  override render() {
    return this.state.error ? <Broken /> : this.props.children;
  }
}

function Broken() {
  const { say } = useTongue();
  return (
    <div class="page">
      <PageHeader title={say('state.chunk')} />
      <Empty icon="warning" text={say('state.chunk.detail')}>
        <Button kind="primary" onClick={() => location.reload()}>
          {say('state.reload')}
        </Button>
      </Empty>
    </div>
  );
}

function NotFound() {
  const { say } = useTongue();
  return (
    <div class="page">
      <PageHeader title={say('state.not_found')} />
      <Empty icon="search" text={say('state.not_found.detail')}>
        <a class="button primary" href="/">
          {say('state.to_overview')}
        </a>
      </Empty>
    </div>
  );
}

function Forbidden({ page }: { page: Page }) {
  const { say } = useTongue();
  return (
    <div class="page">
      <PageHeader title={say(page.title)} />
      <Empty icon="users" text={`${say('problem.forbidden')}. ${say('state.forbidden.detail')}`}>
        <a class="button primary" href="/">
          {say('state.to_overview')}
        </a>
      </Empty>
    </div>
  );
}
