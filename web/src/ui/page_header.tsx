import type { ComponentChildren } from 'preact';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import { moves } from '../app/router';
import { useTongue } from '../words/tongue';
import { nameDocument } from './document_title';

interface Props {
  title: string;
  /** What stands quietly beside or under it. */
  note?: ComponentChildren;
  /** The way back: to the list that this is of. */
  back?: { to: string; title: string };
  badge?: ComponentChildren;
  actions?: ComponentChildren;
}

let focused = moves.peek();

/** The page's heading. It names the document, and takes the focus when the visitor has come here from another page. */
export function PageHeader({ title, note, back, badge, actions }: Props) {
  const { say } = useTongue();
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    nameDocument(say('page.title', { page: title }));
  }, [say, title]);
  // With the page, not after it: later it would take the focus from whoever has begun to type.
  useLayoutEffect(() => {
    if (focused === moves.peek()) return;
    focused = moves.peek();
    heading.current?.focus({ preventScroll: true });
  }, []);
  return (
    <header class="page-header">
      <div class="page-title">
        {back && (
          <a class="back small" href={back.to}>
            <span aria-hidden="true">←</span> {back.title}
          </a>
        )}
        <div class="page-title-line">
          <h1 ref={heading} tabIndex={-1}>
            {title}
          </h1>
          {badge}
        </div>
        {note && <p class="quiet">{note}</p>}
      </div>
      {actions && <div class="page-actions">{actions}</div>}
    </header>
  );
}
