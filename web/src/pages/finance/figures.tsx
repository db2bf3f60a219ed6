import type { ComponentChildren } from 'preact';
import { LiveNumber } from '../../ui/live_number';
import { useTongue } from '../../words/tongue';
import './finance.css';

export interface Figure {
  title: string;
  cents: number;
  /** What stands quietly under it. */
  note?: ComponentChildren;
  tone?: 'late' | 'good';
  /** Leads to what it is made of. */
  href?: string;
}

/** Sums in a row; each shows for a while by how much it has just moved. `of` names what they are the sums of. */
export function Figures({ label, figures, of = '', currency = 'EUR' }: { label: string; figures: readonly Figure[]; of?: string | number; currency?: string }) {
  const { money, moneyChange } = useTongue();
  return (
    <dl class="figures" aria-label={label}>
      {figures.map(({ title, cents, note, tone, href }) => (
        <div key={title} data-tone={cents === 0 ? undefined : tone}>
          <dt class="quiet">{href ? <a href={href}>{title}</a> : title}</dt>
          <dd>
            <LiveNumber value={cents} of={of} write={(value) => money(value, currency)} writeChange={(by) => moneyChange(by, currency)} />
            {note && <span class="quiet small">{note}</span>}
          </dd>
        </div>
      ))}
    </dl>
  );
}
