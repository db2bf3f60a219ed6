import type { ComponentChildren } from 'preact';
import { useId, useLayoutEffect, useRef } from 'preact/hooks';
import { useTongue } from '../words/tongue';
import { IconButton } from './button';

interface Props {
  title: string;
  /** Escape, the cross and a click beside it. */
  onClose: () => void;
  wide?: boolean;
  /** What it asks for, at its foot. */
  actions?: ComponentChildren;
  children: ComponentChildren;
}

/** A native modal dialog: it holds the focus and gives it back. Shown as long as it is rendered. */
export function Dialog({ title, onClose, wide = false, actions, children }: Props) {
  const { say } = useTongue();
  const dialog = useRef<HTMLDialogElement>(null);
  const heading = useId();
  // Before the next key: what is typed at once belongs in here.
  useLayoutEffect(() => {
    const before = document.activeElement;
    dialog.current?.showModal();
    return () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  return (
    <dialog
      ref={dialog}
      class={wide ? 'dialog wide' : 'dialog'}
      aria-labelledby={heading}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onPointerDown={(event) => event.target === dialog.current && onClose()}
    >
      <div class="dialog-inside">
        <header>
          <h2 id={heading}>{title}</h2>
          <IconButton icon="close" label={say('dialog.close')} onClick={onClose} />
        </header>
        <div class="dialog-body">{children}</div>
        {actions && <footer>{actions}</footer>}
      </div>
    </dialog>
  );
}
