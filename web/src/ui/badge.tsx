import type { ComponentChildren } from 'preact';

export type Tone = 'plain' | 'good' | 'active' | 'warn' | 'late';

/** A state in one word. The word says it; the colour only repeats it. */
export function Badge({ tone = 'plain', children }: { tone?: Tone; children: ComponentChildren }) {
  return (
    <span class="badge" data-tone={tone}>
      {children}
    </span>
  );
}
