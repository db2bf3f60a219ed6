import { useEffect } from 'preact/hooks';
import type { AlertDocument } from '../../api/types';
import { useQuery } from '../../app/router';
import { useChangedRows } from '../../live/changed';
import { connection } from '../../live/current';
import { AnswerView } from '../../ui/answer_view';
import { Badge } from '../../ui/badge';
import { Moment } from '../../ui/day';
import { Empty } from '../../ui/empty';
import { useTongue } from '../../words/tongue';
import { useTicking } from './ticking';

/** Alerts as they stand: the event `monitor:alert` tells of each at once, a slow tick mends what was not heard. */
export function useAlerts(state: 'active' | 'all') {
  const answer = useTicking('/api/diagnostics/alerts', { query: { state, limit: 200 } }, 30_000);
  const { refresh } = answer;
  useEffect(() => {
    const heard = () => refresh();
    connection.socket.on('monitor:alert', heard);
    return () => {
      connection.socket.off('monitor:alert', heard);
    };
  }, [state]);
  return answer;
}

export function AlertsPanel() {
  const { say } = useTongue();
  const [query, setQuery] = useQuery();
  const state = query.get('state') === 'all' ? 'all' : 'active';
  const answer = useAlerts(state);
  const rows = answer.body?.data ?? [];
  const marked = useChangedRows(rows, keyOf, state, answer.phase === 'ready');
  return (
    <div class="section">
      <div class="segments insight-states" role="group" aria-label={say('insight.alert.state')}>
        {(['active', 'all'] as const).map((one) => (
          <button type="button" key={one} aria-pressed={one === state} onClick={() => setQuery({ state: one === 'active' ? null : one })}>
            {say(`insight.alert.${one}`)}
          </button>
        ))}
      </div>
      <AnswerView answer={answer}>
        {({ data }) =>
          data.length === 0 ? (
            <Empty icon="check" text={say(state === 'active' ? 'insight.no_alerts' : 'insight.no_alerts_ever')} />
          ) : (
            <ul class="insight-alerts">
              {data.map((alert) => (
                <Alert key={keyOf(alert)} alert={alert} isNew={marked.has(keyOf(alert))} />
              ))}
            </ul>
          )
        }
      </AnswerView>
    </div>
  );
}

const keyOf = (alert: AlertDocument) => `${alert.id} ${alert.state}`;

function Alert({ alert, isNew }: { alert: AlertDocument; isNew: boolean }) {
  const { say, knows } = useTongue();
  const kind = `insight.alert.kind.${alert.kind}`;
  return (
    <li class="card insight-alert" data-changed={isNew ? '' : undefined}>
      <p class="insight-alert-head">
        <Badge tone={alert.state === 'resolved' ? 'good' : alert.severity === 'critical' ? 'late' : 'warn'}>
          {say(alert.state === 'resolved' ? 'insight.alert.resolved' : `insight.alert.${alert.severity}`)}
        </Badge>
        <strong>{knows(kind) ? say(kind) : alert.kind}</strong>
        <span class="mono small">{alert.subject}</span>
      </p>
      <p lang="en">{alert.message}</p>
      <p class="quiet small">
        {say('insight.alert.since')} <Moment at={alert.since} />
        {alert.times > 1 && <> · {say('insight.alert.times', { count: alert.times })}</>}
      </p>
    </li>
  );
}
