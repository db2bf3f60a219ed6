import type { ComponentChildren } from 'preact';
import { Icon } from './icon';

/** A line above the page that holds for all of it. */
export function Banner({ tone, action, children }: { tone: 'good' | 'warn' | 'late'; action?: ComponentChildren; children: ComponentChildren }) {
  return (
    <div class="banner" role="status" data-tone={tone}>
      <Icon name={tone === 'good' ? 'check' : 'warning'} />
      <p>{children}</p>
      {action}
    </div>
  );
}
