import type { ComponentChildren } from 'preact';
import { useTongue } from '../../words/tongue';
import type { Figure } from './overview';

interface Props {
  figure: Figure;
  /** The number, and apart what is set smaller behind it. */
  value: [string, string];
  note?: ComponentChildren;
  /** By how much it changed just now; null: not at all. */
  change: string | null;
  tone?: 'plain' | 'late';
}

export function KpiCard({ figure, value: [value, tail], note, change, tone = 'plain' }: Props) {
  const { say } = useTongue();
  return (
    <article class="card kpi" data-figure={figure} data-tone={tone} data-changed={change === null ? undefined : ''}>
      <h2>{say(`figure.${figure}`)}</h2>
      <p class="value">
        <span class="number">
          {value}
          {tail && <span class="tail">{tail}</span>}
        </span>
      </p>
      <p class="under">
        <span class="quiet">{note}</span>
        {change !== null && <span class="change">{change}</span>}
      </p>
    </article>
  );
}
