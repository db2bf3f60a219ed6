import type { ComponentChildren } from 'preact';
import { Icon, type IconName } from './icon';

/** Nothing is there, why that is, and what to do about it. */
export function Empty({ icon = 'info', text, children }: { icon?: IconName; text: string; children?: ComponentChildren }) {
  return (
    <div class="empty">
      <Icon name={icon} />
      <p>{text}</p>
      {children}
    </div>
  );
}
