import './insight.css';
import type { ComponentChildren } from 'preact';
import type { SlowDetailsDocument, SlowQueryInFullDocument } from '../../api/types';
import type { PageProps } from '../../app/pages';
import { useAnswer } from '../../live/use_answer';
import { AnswerView } from '../../ui/answer_view';
import { Badge } from '../../ui/badge';
import { CopyButton } from '../../ui/copy_button';
import { Moment } from '../../ui/day';
import { Details } from '../../ui/details';
import { PageHeader } from '../../ui/page_header';
import '../../words/insight';
import { useTongue } from '../../words/tongue';
import { PlanList, PlanOnDemand } from './plans';
import { statementHref } from './statements_panel';
import { Sql } from './sql';
import { useWriting } from './writing';

/** One slow run: the statement, its parameters as far as they may be shown, where the time went, and the plan. */
export default function SlowQueryPage({ params }: PageProps) {
  const { say } = useTongue();
  const { took } = useWriting();
  const answer = useAnswer('/api/diagnostics/slow-queries/{slow_id}', { path: { slow_id: params['id'] ?? '' } });
  const slow = answer.body?.data;
  return (
    <div class="page">
      <PageHeader
        back={{ to: '/operations/queries?tab=slow', title: say('insight.tab.slow') }}
        title={slow?.name ?? say('nav.slow_query')}
        note={slow && <Moment at={slow.timestamp} />}
        badge={slow && <Badge tone="warn">{took(slow.executionTime)}</Badge>}
      />
      <AnswerView answer={answer}>{({ data }) => <Shown slow={data} />}</AnswerView>
    </div>
  );
}

function Shown({ slow }: { slow: SlowQueryInFullDocument }) {
  const { say, count } = useTongue();
  const { took } = useWriting();
  const { details } = slow;
  const about: SlowDetailsDocument = details.slowest ?? details;
  const text = about.statement ?? details.statements?.[0]?.statement ?? '';
  return (
    <>
      <div class="insight-split">
        <section class="card insight-pattern">
          <div class="insight-head">
            <h2>SQL</h2>
            <CopyButton text={text} />
          </div>
          {text ? <Sql text={text} /> : <p class="quiet">{say('insight.no_statement')}</p>}
          {about.time && <TimeSplit time={about.time} />}
          {details.statements && details.statements.length > 1 && (
            <table class="plain-table small">
              <thead>
                <tr>
                  <th scope="col">{say('insight.statement')}</th>
                  <th scope="col" class="end">
                    {say('insight.took')}
                  </th>
                </tr>
              </thead>
              <tbody>
                {details.statements.map((one, index) => (
                  <tr key={index}>
                    <td class="insight-code">{one.statement}</td>
                    <td class="end number">{took(one.executionTime)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          )}
        </section>
        <div class="insight-list">
          <Details
            rows={filled([
              [say('insight.took'), took(slow.executionTime)],
              [say('insight.threshold'), took(slow.threshold)],
              [say('insight.line'), details.site && <code class="insight-code">{details.site}</code>],
              [say('insight.scope'), about.scope],
              [say('insight.request_id'), details.requestId && <code class="insight-code">{details.requestId}</code>],
              [say('insight.rows'), about.rows === null || about.rows === undefined ? null : count(about.rows)],
              [say('insight.database'), about.database],
              [say('insight.statements_in_it'), details.statementCount === null || details.statementCount === undefined ? null : count(details.statementCount)],
              [say('insight.errors'), details.error],
              [say('insight.statement'), about.fingerprint && <a href={statementHref(about.fingerprint)}>{about.fingerprint}</a>],
            ])}
          />
          {Object.keys(about.parameters).length > 0 && (
            <Details title={say('insight.parameters')} rows={Object.entries(about.parameters).map(([name, value]) => [name, <code class="insight-code">{JSON.stringify(value)}</code>] as const)} />
          )}
        </div>
      </div>
      {slow.plans && slow.plans.plans.length > 0 ? (
        <section class="section">
          <h2>{say('insight.plan')}</h2>
          <PlanList known={slow.plans} />
        </section>
      ) : (
        about.fingerprint && <PlanOnDemand fingerprint={about.fingerprint} />
      )}
    </>
  );
}

type Fact = readonly [string, ComponentChildren];

/** A statement and a tracked run have different facts: those that are there. */
function filled(rows: readonly Fact[]): Fact[] {
  return rows.filter(([, value]) => value !== null && value !== undefined && value !== '');
}

const PARTS = ['execute', 'fetch', 'driver', 'poolWait', 'loopLag'] as const;

/** Where the time went, as parts of one bar and as figures. */
function TimeSplit({ time }: { time: Record<string, number> }) {
  const { say } = useTongue();
  const { took } = useWriting();
  const parts = PARTS.map((name) => ({ name, ms: time[name] ?? 0 })).filter((part) => part.ms > 0);
  const all = parts.reduce((sum, part) => sum + part.ms, 0) || 1;
  return (
    <div class="insight-list">
      <h3 class="quiet small">{say('insight.where_time_went')}</h3>
      <div class="insight-time" aria-hidden="true">
        {parts.map((part) => (
          <span key={part.name} style={{ width: `${(part.ms / all) * 100}%` }} />
        ))}
      </div>
      <p class="small">
        {parts.map((part, index) => (
          <span key={part.name} class="insight-key" data-series={index + 1}>
            {say(`insight.time.${part.name}`)} <b class="number">{took(part.ms)}</b>
          </span>
        ))}
      </p>
    </div>
  );
}
