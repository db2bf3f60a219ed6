import { Component, type ComponentChildren } from 'preact';
import { useEffect, useId, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { typedAhead } from './type_ahead';
import { windowOf } from './window';

export interface TreeItem {
  id: string;
  /** From 1. */
  level: number;
  /** The place, from 1, among `of` siblings. */
  at: number;
  of: number;
  /** Null: nothing lies below. */
  isOpen: boolean | null;
}

interface Props<Item extends TreeItem> {
  label: string;
  items: readonly Item[];
  /** The row that the keys act upon; it is brought into sight when it changes. */
  active: string | null;
  activate: (id: string) => void;
  selected: string | null;
  select: (id: string) => void;
  toggle: (id: string, isOpen: boolean) => void;
  /** Open all closed siblings, by `*`. */
  openSiblings?: (ids: readonly string[]) => void;
  /** What letters that are typed are compared with. */
  textOf: (item: Item) => string;
  /** What is drawn of an item, in a box of `rowHeight` pixels. */
  children: (item: Item) => ComponentChildren;
  rowHeight: number;
  scrollTop?: number;
  onScroll?: (top: number) => void;
  class?: string;
}

const TYPING_MS = 700;

/**
 * A tree by the ARIA pattern, of which only the rows in sight are in the document. What comes, goes or moves above
 * them does not move them: the topmost row in sight stays where it is.
 */
export function Tree<Item extends TreeItem>(props: Props<Item>) {
  const { label, items, active, activate, selected, select, toggle, openSiblings, textOf, children, rowHeight, onScroll, class: more = '' } = props;
  const base = useId();
  const box = useRef<HTMLDivElement>(null);
  const [view, setView] = useState({ top: props.scrollTop ?? 0, height: 600 });
  const anchor = useRef<{ id: string; index: number; beyond: number } | null>(null);
  const sought = useRef<string | null>(null);
  const last = useRef(active);
  const typed = useRef({ text: '', at: 0 });

  useLayoutEffect(() => {
    const place = box.current;
    if (!place) return;
    if (props.scrollTop) place.scrollTop = props.scrollTop;
    let frame = 0;
    const look = () => {
      frame = 0;
      setView({ top: place.scrollTop, height: place.clientHeight });
      onScroll?.(place.scrollTop);
    };
    const onMove = () => {
      frame ||= requestAnimationFrame(look);
    };
    const watch = new ResizeObserver(look);
    watch.observe(place);
    place.addEventListener('scroll', onMove, { passive: true });
    return () => {
      watch.disconnect();
      place.removeEventListener('scroll', onMove);
      cancelAnimationFrame(frame);
    };
  }, []);

  const rowAt = (id: string | null) => (id === null ? -1 : items.findIndex((item) => item.id === id));
  useLayoutEffect(() => {
    const place = box.current;
    const kept = anchor.current;
    if (!place || !kept || place.scrollTop === 0) return;
    if (items[kept.index]?.id === kept.id) return;
    const index = rowAt(kept.id);
    if (index < 0) return;
    place.scrollTop = index * rowHeight + kept.beyond;
    setView({ top: place.scrollTop, height: place.clientHeight });
  }, [items]);
  useLayoutEffect(() => {
    const place = box.current;
    if (last.current !== active) sought.current = last.current = active;
    if (!place || sought.current === null) return;
    const index = rowAt(sought.current);
    if (index < 0) return; // not loaded yet: it is brought into sight when it is
    sought.current = null;
    const top = index * rowHeight;
    if (top < place.scrollTop) place.scrollTop = top;
    else if (top + rowHeight > place.scrollTop + place.clientHeight) {
      place.scrollTop = top + rowHeight - place.clientHeight + Math.floor(place.clientHeight / 3 / rowHeight) * rowHeight;
    }
  }, [items, active]);
  useEffect(() => {
    const index = Math.floor(view.top / rowHeight);
    const item = items[index];
    anchor.current = item ? { id: item.id, index, beyond: view.top - index * rowHeight } : null;
  }, [items, view.top, rowHeight]);

  const at = useMemo(() => rowAt(active), [items, active]);
  const onKeyDown = (event: KeyboardEvent) => {
    const here = items[at] ?? items[0];
    if (!here || event.ctrlKey || event.metaKey || event.altKey) return;
    const step = (to: number) => {
      const next = items[Math.min(items.length - 1, Math.max(0, to))];
      if (next) activate(next.id);
    };
    const page = Math.max(1, Math.floor(view.height / rowHeight) - 1);
    switch (event.key) {
      case 'ArrowDown':
        step(at + 1);
        break;
      case 'ArrowUp':
        step(at - 1);
        break;
      case 'PageDown':
        step(at + page);
        break;
      case 'PageUp':
        step(at - page);
        break;
      case 'Home':
        step(0);
        break;
      case 'End':
        step(items.length - 1);
        break;
      case 'ArrowRight':
        if (here.isOpen === false) toggle(here.id, true);
        else if (here.isOpen) step(at + 1);
        break;
      case 'ArrowLeft': {
        if (here.isOpen) toggle(here.id, false);
        else step(parentOf(items, at));
        break;
      }
      case 'Enter':
      case ' ':
        select(here.id);
        break;
      case '*':
        openSiblings?.(siblingsOf(items, Math.max(0, at)).filter((item) => item.isOpen === false).map((item) => item.id));
        break;
      default: {
        if (event.key.length !== 1) return;
        const now = performance.now();
        const text = now - typed.current.at < TYPING_MS ? typed.current.text + event.key : event.key;
        typed.current = { text, at: now };
        const found = typedAhead(items.map(textOf), text, Math.max(0, at));
        if (found !== null) step(found);
      }
    }
    event.preventDefault();
    event.stopPropagation();
  };

  const { first, last: end } = windowOf(view.top, view.height, rowHeight, items.length);
  const isActiveDrawn = at >= first && at < end;
  return (
    <div
      class={`virtual-list tree ${more}`}
      ref={box}
      role="tree"
      aria-label={label}
      tabIndex={0}
      aria-activedescendant={isActiveDrawn ? `${base}-${active}` : undefined}
      onKeyDown={onKeyDown}
      onFocus={() => at < 0 && items[0] && activate(items[0].id)}
    >
      <div class="virtual-all" role="presentation" style={{ height: `${items.length * rowHeight}px` }}>
        <div class="virtual-seen" role="presentation" style={{ transform: `translateY(${first * rowHeight}px)` }}>
          {items.slice(first, end).map((item) => (
            <Row
              key={item.id}
              base={base}
              item={item}
              rowHeight={rowHeight}
              isActive={item.id === active}
              isSelected={item.id === selected}
              children={children as (item: TreeItem) => ComponentChildren}
              activate={activate}
              select={select}
              toggle={toggle}
            />
          ))}
        </div>
      </div>
    </div>
  );
}

interface RowProps extends Pick<Props<TreeItem>, 'children' | 'activate' | 'select' | 'toggle' | 'rowHeight'> {
  base: string;
  item: TreeItem;
  isActive: boolean;
  isSelected: boolean;
}

/** One row. While the tree is only scrolled it is not drawn anew: all that is given to it is the same. */
class Row extends Component<RowProps> {
  override shouldComponentUpdate(next: Readonly<RowProps>): boolean {
    const names = ['item', 'isActive', 'isSelected', 'children', 'activate', 'select', 'toggle', 'rowHeight'] as const;
    return names.some((name) => this.props[name] !== next[name]);
  }

  override render() {
    const { base, item, rowHeight, isActive, isSelected, children, activate, select, toggle } = this.props;
    return (
      <div
        id={`${base}-${item.id}`}
        class="tree-row"
        role="treeitem"
        aria-level={item.level}
        aria-setsize={item.of}
        aria-posinset={item.at}
        aria-expanded={item.isOpen ?? undefined}
        aria-selected={isSelected}
        data-active={isActive ? '' : undefined}
        style={{ height: `${rowHeight}px`, '--level': String(item.level - 1) }}
        onClick={(event) => {
          activate(item.id);
          const isTwisty = event.target instanceof Element && event.target.closest('.twisty');
          if (isTwisty && item.isOpen !== null) toggle(item.id, !item.isOpen);
          else select(item.id);
        }}
        onDblClick={() => item.isOpen !== null && toggle(item.id, !item.isOpen)}
      >
        {children(item)}
      </div>
    );
  }
}

function parentOf(items: readonly TreeItem[], at: number): number {
  const level = items[at]?.level ?? 1;
  for (let index = at - 1; index >= 0; index--) if ((items[index]?.level ?? 0) < level) return index;
  return at;
}

function siblingsOf<Item extends TreeItem>(items: readonly Item[], at: number): Item[] {
  const here = items[at];
  if (!here) return [];
  const found: Item[] = [];
  let index = at;
  while (index > 0 && (items[index - 1]?.level ?? 0) >= here.level) index--;
  for (; index < items.length; index++) {
    const item = items[index];
    if (!item || item.level < here.level) break;
    if (item.level === here.level) found.push(item);
  }
  return found;
}
