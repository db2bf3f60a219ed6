import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef, useState } from 'preact/hooks';

interface Props {
  label: string;
  /** What the button shows. */
  face: ComponentChildren;
  class?: string;
  /** `close` shuts it, for items that act. */
  children: (close: () => void) => ComponentChildren;
}

/** A button that unfolds a panel beneath it; Escape, a click elsewhere or leaving it with Tab shut it. */
export function Menu({ label, face, class: more = '', children }: Props) {
  const [isOpen, setOpen] = useState(false);
  const panel = useId();
  const place = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (!isOpen) return;
    const outside = (event: Event) => {
      if (event.target instanceof Node && !place.current?.contains(event.target)) setOpen(false);
    };
    addEventListener('pointerdown', outside);
    addEventListener('focusin', outside);
    return () => {
      removeEventListener('pointerdown', outside);
      removeEventListener('focusin', outside);
    };
  }, [isOpen]);
  const close = () => {
    setOpen(false);
    button.current?.focus();
  };
  return (
    <div
      class={`menu ${more}`}
      ref={place}
      onKeyDown={(event) => {
        if (event.key !== 'Escape' || !isOpen) return;
        event.stopPropagation();
        close();
      }}
    >
      <button type="button" class="menu-button" ref={button} aria-expanded={isOpen} aria-controls={panel} aria-label={label} title={label} onClick={() => setOpen(!isOpen)}>
        {face}
      </button>
      <div class="menu-panel" id={panel} hidden={!isOpen}>
        {isOpen && children(close)}
      </div>
    </div>
  );
}
