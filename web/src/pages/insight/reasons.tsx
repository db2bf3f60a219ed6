/** How often each of several reasons was one. */

import type { CacheStatsDocument } from '../../api/types';
import { useTongue } from '../../words/tongue';

/** Why answers were not given from memory, not kept, or let go. */
export function Why({ stats }: { stats: CacheStatsDocument }) {
  const { say } = useTongue();
  const missed: Record<string, number> = {};
  for (const route of stats.routes) for (const [why, times] of Object.entries(route.missedBecause)) missed[why] = (missed[why] ?? 0) + times;
  return (
    <div class="columns">
      <Reasons title={say('insight.cache.why_missed')} reasons={missed} />
      <Reasons title={say('insight.cache.why_bypassed')} reasons={stats.bypassReasons} />
      <Reasons title={say('insight.cache.why_not_kept')} reasons={stats.notStoredReasons} />
      <Reasons title={say('insight.cache.why_let_go')} reasons={stats.letGo} />
    </div>
  );
}

export function Reasons({ title, reasons }: { title: string; reasons: Readonly<Record<string, number>> }) {
  const { say, count } = useTongue();
  const rows = Object.entries(reasons).sort(([, one], [, other]) => other - one);
  const all = rows.reduce((sum, [, times]) => sum + times, 0) || 1;
  return (
    <section class="card insight-list">
      <h2>{title}</h2>
      {rows.length === 0 ? (
        <p class="quiet">{say('insight.never')}</p>
      ) : (
        <dl class="insight-bars">
          {rows.map(([why, times]) => (
            <div key={why}>
              <dt lang="en">{why}</dt>
              <dd>
                <progress aria-hidden="true" max={1} value={times / all} />
              </dd>
              <dd class="number">{count(times)}</dd>
            </div>
          ))}
        </dl>
      )}
    </section>
  );
}
