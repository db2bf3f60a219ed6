import { useEffect, useState } from 'preact/hooks';
import { useTongue } from '../../words/tongue';
import type { Activity } from './overview';
import { actPhrase } from '../../words/acts';

export function ActivityList({ entries, changed }: { entries: Activity[]; changed: boolean }) {
  const { say } = useTongue();
  const now = useMinute();
  const [known, setKnown] = useState(() => new Set(entries.map((entry) => entry.id)));
  // The mark of a new entry goes with the mark of the figure.
  useEffect(() => {
    if (!changed) setKnown(new Set(entries.map((entry) => entry.id)));
  }, [changed, entries]);
  return (
    <section class="card activity" data-figure="activity">
      <h2>{say('figure.activity')}</h2>
      {entries.length === 0 ? (
        <p class="quiet empty">{say('activity.empty')}</p>
      ) : (
        <ol>
          {entries.map((entry) => (
            <Row key={entry.id} entry={entry} now={now} fresh={!known.has(entry.id)} />
          ))}
        </ol>
      )}
    </section>
  );
}

function Row({ entry, now, fresh }: { entry: Activity; now: Date; fresh: boolean }) {
  const { ago, moment, say } = useTongue();
  const at = new Date(entry.at);
  const phrase = actPhrase(entry.action);
  return (
    <li data-changed={fresh ? '' : undefined}>
      <span class="what">
        {phrase ? say(phrase) : entry.action}
        {entry.summary && <span class="quiet"> · {entry.summary}</span>}
      </span>
      <span class="quiet small who-did">{entry.actorName || say('activity.system')}</span>
      <time class="quiet small" dateTime={entry.at} title={moment(at)}>
        {ago(at, now)}
      </time>
    </li>
  );
}

/** The time, anew each half minute: "2 minutes ago" must not stand for an hour. */
function useMinute(): Date {
  const [now, setNow] = useState(() => new Date());
  useEffect(() => {
    const tick = setInterval(() => setNow(new Date()), 30_000);
    return () => clearInterval(tick);
  }, []);
  return now;
}
