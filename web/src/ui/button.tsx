import type { ComponentChildren } from 'preact';
import { Icon, type IconName } from './icon';

interface Shared {
  onClick?: (event: MouseEvent) => void;
  title?: string;
  autofocus?: boolean;
  'aria-expanded'?: boolean;
  'aria-pressed'?: boolean;
  'aria-label'?: string;
}

interface Props extends Shared {
  kind?: 'plain' | 'primary' | 'danger' | 'bare';
  type?: 'button' | 'submit';
  icon?: IconName;
  /** Works on what was asked: it stays where it is, keeps the focus and takes no second click. */
  busy?: boolean;
  children?: ComponentChildren;
}

export function Button({ kind = 'plain', type = 'button', icon, busy = false, children, onClick, ...rest }: Props) {
  return (
    <button
      {...rest}
      type={type}
      class={`button ${kind}`}
      aria-disabled={busy || undefined}
      onClick={(event) => {
        if (busy) event.preventDefault();
        else onClick?.(event);
      }}
    >
      {icon && <Icon name={icon} />}
      {children}
    </button>
  );
}

/** An icon alone; `label` is its name for everybody who does not see it, and its tip. */
export function IconButton({ icon, label, ...rest }: { icon: IconName; label: string } & Shared) {
  return (
    <button {...rest} type="button" class="icon-button" aria-label={label} title={label}>
      <Icon name={icon} />
    </button>
  );
}
