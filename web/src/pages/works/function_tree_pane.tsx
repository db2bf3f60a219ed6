import { useCallback, useMemo } from 'preact/hooks';
import { go } from '../../app/router';
import { Button } from '../../ui/button';
import { Emoji } from '../../ui/emoji';
import { Empty } from '../../ui/empty';
import { Icon } from '../../ui/icon';
import { ProblemNote } from '../../ui/problem_note';
import { Skeleton } from '../../ui/skeleton';
import { Tree } from '../../ui/tree';
import { useTongue } from '../../words/tongue';
import { functionAddress } from './function_address';
import { KIND_ICONS } from './kind_icons';
import type { TreeRow } from './function_tree';
import type { FunctionsStore } from './functions_store';

const isCoarse = matchMedia('(pointer: coarse)').matches;
const ROW_PX = isCoarse ? 44 : 32;

export function FunctionTreePane({ store, selected }: { store: FunctionsStore; selected: string | null }) {
  const { say, count } = useTongue();
  const turn = store.turn.value;
  const { tree, marks } = store;
  const rows = useMemo(() => tree.rows(store.open), [turn]);
  const coming = store.coming.value;
  // The same as long as they do the same: rows that only see another one become the active one are not drawn anew.
  const acts = useMemo(
    () => ({
      activate: (id: string) => (store.active.value = id),
      select: (id: string) => go(functionAddress(id)),
      toggle: (id: string, isOpen: boolean) => void store.toggle(id, isOpen),
      openSiblings: (ids: readonly string[]) => void store.openAllOf(ids),
    }),
    [store],
  );
  const draw = useCallback(
    (row: TreeRow) => {
      const node = tree.get(row.id);
      if (!node) return null;
      return (
        <span class="twig" data-changed={marks.value.has(row.id) ? '' : undefined}>
          <span class="twisty" data-busy={coming.has(row.id) ? '' : undefined}>
            {row.isOpen !== null && <Icon name={row.isOpen ? 'down' : 'right'} />}
          </span>
          <Emoji class="twig-icon" text={node.icon} instead={KIND_ICONS[node.kind]} />
          <span class="twig-title">{node.title}</span>
          {node.childCount > 0 && <span class="quiet number small">{count(node.childCount)}</span>}
        </span>
      );
    },
    [tree, marks, coming, count],
  );
  const problem = store.problem.value;
  if (rows.length === 0) {
    if (problem) return <ProblemNote problem={problem} retry={() => void store.read()} />;
    if (store.phase.value === 'loading') return <Skeleton lines={10} />;
    return <Empty icon="tree" text={say('functions.empty')} />;
  }
  return (
    <>
      {problem && problem.status !== 0 && <ProblemNote problem={problem} retry={() => void store.read()} />}
      <Tree
        label={say('functions.tree')}
        items={rows}
        rowHeight={ROW_PX}
        active={store.active.value}
        selected={selected}
        {...acts}
        textOf={(row) => tree.get(row.id)?.title ?? ''}
        scrollTop={store.scrollTop}
        onScroll={(top) => (store.scrollTop = top)}
      >
        {draw}
      </Tree>
      <footer class="tree-foot">
        <span class="quiet small">{say('functions.rows', { count: rows.length, number: count(rows.length) })}</span>
        <Button kind="bare" onClick={() => store.closeAll()}>
          {say('functions.close_all')}
        </Button>
        <Button kind="bare" busy={store.isOpeningAll.value} onClick={() => void store.openAll()}>
          {say(store.isOpeningAll.value ? 'functions.opening_all' : 'functions.open_all')}
        </Button>
      </footer>
    </>
  );
}
