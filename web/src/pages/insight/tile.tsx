import type { ComponentChildren } from 'preact';
import { Sparkline } from '../../charts/sparkline';

interface Props {
  title: string;
  value: ComponentChildren;
  note?: ComponentChildren;
  /** How it ran lately. */
  run?: readonly number[];
  tone?: 'plain' | 'good' | 'warn' | 'late';
  /** For tests and for links to it. */
  figure?: string;
}

/** One figure, and under it what it is of. */
export function Tile({ title, value, note, run, tone = 'plain', figure }: Props) {
  return (
    <article class="card insight-tile" data-tone={tone} data-figure={figure}>
      <h2>{title}</h2>
      <p class="value number">
        {value}
        {run && run.length > 1 && <Sparkline values={run} width={64} height={20} />}
      </p>
      <p class="under quiet small">{note}</p>
    </article>
  );
}
