import { useTongue } from '../words/tongue';

/** How much of a known amount is done; `total` 0 or null: it is not known yet. */
export function Progress({ label, done, total, tone = 'active' }: { label: string; done: number; total: number | null; tone?: 'active' | 'good' | 'late' }) {
  const { percent } = useTongue();
  const share = total ? Math.min(1, done / total) : null;
  return (
    <span class="progress" data-tone={tone}>
      <progress aria-label={label} max={1} {...(share === null ? {} : { value: share })} />
      {share !== null && <span class="number quiet small">{percent(Math.floor(share * 100) / 100)}</span>}
    </span>
  );
}
