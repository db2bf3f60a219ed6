import type { ComponentChildren } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { windowOf } from './window';

interface Props<Item> {
  items: readonly Item[];
  rowHeight: number;
  keyOf: (item: Item) => string | number;
  /** What is drawn of an item, in a box of `rowHeight` pixels. */
  children: (item: Item, index: number) => ComponentChildren;
  /** Attributes of the scrolled box: its role, its label, its keys. */
  role?: 'list' | 'tree' | 'listbox' | 'grid' | 'log';
  label: string;
  onKeyDown?: (event: KeyboardEvent) => void;
  /** The item that must be in sight, such as the one with the focus. */
  inSight?: number | null;
  class?: string;
}

/** Rows of one height, of which only those in sight are in the document, however many there are. */
export function VirtualList<Item>({ items, rowHeight, keyOf, children, role = 'list', label, onKeyDown, inSight = null, class: more = '' }: Props<Item>) {
  const box = useRef<HTMLDivElement>(null);
  const [view, setView] = useState({ top: 0, height: 600 });
  useEffect(() => {
    const place = box.current;
    if (!place) return;
    let frame = 0;
    const look = () => {
      frame = 0;
      setView({ top: place.scrollTop, height: place.clientHeight });
    };
    const onScroll = () => {
      frame ||= requestAnimationFrame(look);
    };
    const watch = new ResizeObserver(look);
    watch.observe(place);
    place.addEventListener('scroll', onScroll, { passive: true });
    return () => {
      watch.disconnect();
      place.removeEventListener('scroll', onScroll);
      cancelAnimationFrame(frame);
    };
  }, []);
  useLayoutEffect(() => {
    const place = box.current;
    if (!place || inSight === null) return;
    const top = inSight * rowHeight;
    if (top < place.scrollTop) place.scrollTop = top;
    else if (top + rowHeight > place.scrollTop + place.clientHeight) place.scrollTop = top + rowHeight - place.clientHeight;
  }, [inSight, rowHeight]);
  const { first, last } = windowOf(view.top, view.height, rowHeight, items.length);
  return (
    <div class={`virtual-list ${more}`} ref={box} role={role} aria-label={label} tabIndex={0} {...(onKeyDown ? { onKeyDown } : {})}>
      <div class="virtual-all" role="presentation" style={{ height: `${items.length * rowHeight}px` }}>
        <div class="virtual-seen" role="presentation" style={{ transform: `translateY(${first * rowHeight}px)` }}>
          {items.slice(first, last).map((item, index) => (
            <div key={keyOf(item)} role="presentation" style={{ height: `${rowHeight}px` }}>
              {children(item, first + index)}
            </div>
          ))}
        </div>
      </div>
    </div>
  );
}
