import './insight.css';
import { useState } from 'preact/hooks';
import { asProblem } from '../../api/problem';
import type { AdviceDocument, CreationDocument, EffectDocument, IndexAdviceDocument } from '../../api/types';
import { api, may } from '../../session/current';
import { AnswerView } from '../../ui/answer_view';
import { Badge } from '../../ui/badge';
import { Button } from '../../ui/button';
import { CopyButton } from '../../ui/copy_button';
import { saveFile } from '../../ui/csv';
import { Moment } from '../../ui/day';
import { Empty } from '../../ui/empty';
import { FiguresTable, type FigureColumn } from '../../ui/figures_table';
import { PageHeader } from '../../ui/page_header';
import { titleOf } from '../../ui/problem_note';
import { Progress } from '../../ui/progress';
import { toast } from '../../ui/toast';
import '../../words/insight';
import { useTongue } from '../../words/tongue';
import { statementHref } from './statements_panel';
import { Sql } from './sql';
import { useTicking } from './ticking';
import { Tile } from './tile';
import { useWriting } from './writing';

/** Which indexes would help, by how much, what they cost, and which need not be. */
export default function AdvicePage() {
  const { say } = useTongue();
  const [isRunning, setRunning] = useState(false);
  const answer = useTicking('/api/diagnostics/index-advice', {}, isRunning ? 700 : 2_000);
  const running = answer.body?.running ?? null;
  if ((running !== null) !== isRunning) setRunning(running !== null);
  const advice = answer.body?.advice;
  return (
    <div class="page">
      <PageHeader title={say('nav.advice')} note={say('insight.advice.note')} actions={may('admin') && answer.body && <Acts known={answer.body} started={answer.refresh} />} />
      <AnswerView answer={answer}>
        {(body) => (
          <>
            {body.running && (
              <section class="card insight-list" aria-live="polite">
                <p>
                  <strong>{say('insight.advice.running')}</strong> <span lang="en">{body.running.step}</span>
                </p>
                <Progress label={say('insight.advice.running')} done={body.running.done} total={body.running.total} />
              </section>
            )}
            {body.error && (
              <div class="note problem" role="alert">
                <p class="note-title">{say('insight.advice.failed')}</p>
                <p lang="en">{body.error}</p>
              </div>
            )}
            {!advice && !body.running && <Empty icon="index" text={say(body.statementsSeen ? 'insight.advice.none_yet' : 'insight.advice.nothing_seen', { count: body.statementsSeen })} />}
            {advice && <Advice advice={advice} />}
          </>
        )}
      </AnswerView>
    </div>
  );
}

function Acts({ known, started }: { known: IndexAdviceDocument; started: () => void }) {
  const { say } = useTongue();
  const isBusy = known.running !== null;
  const begin = async (verify: boolean) => {
    try {
      await api.post('/api/diagnostics/index-advice', { body: { verify } });
    } catch (error) {
      const problem = asProblem(error);
      toast(problem.detail || say(titleOf(problem)), { isProblem: true });
    }
    started();
  };
  const revision = async () => {
    try {
      const { blob } = await api.file('/api/diagnostics/index-advice/revision');
      saveFile('index_advice.py', blob);
    } catch (error) {
      toast(say(titleOf(asProblem(error))), { isProblem: true });
    }
  };
  return (
    <>
      {known.advice && known.advice.create.length + known.advice.drop.length > 0 && (
        <Button icon="download" onClick={() => void revision()}>
          {say('insight.advice.revision')}
        </Button>
      )}
      <Button busy={isBusy} onClick={() => void begin(false)}>
        {say('insight.advice.estimate')}
      </Button>
      <Button kind="primary" icon="play" busy={isBusy} onClick={() => void begin(true)}>
        {say('insight.advice.verify')}
      </Button>
    </>
  );
}

function Advice({ advice }: { advice: AdviceDocument }) {
  const { say, count, percent, bytes } = useTongue();
  const size = advice.create.reduce((sum, one) => sum + one.sizeBytes, 0);
  return (
    <>
      <div class="insight-tiles">
        <Tile figure="saved" title={say('insight.advice.saved')} value={percent(advice.savedShare)} tone={advice.savedShare > 0 ? 'good' : 'plain'} note={say('insight.advice.of_workload')} />
        <Tile figure="create" title={say('insight.advice.create')} value={count(advice.create.length)} note={bytes(size)} />
        <Tile title={say('insight.advice.drop')} value={count(advice.drop.length)} note={bytes(advice.drop.reduce((sum, one) => sum + one.sizeBytes, 0))} />
        <Tile title={say('insight.advice.candidates')} value={count(advice.candidates)} note={say('insight.advice.rejected_count', { number: count(advice.rejectedCount) })} />
        <Tile title={say('insight.advice.workload')} value={count(advice.workload.statements)} note={say('insight.advice.calls', { number: count(advice.workload.calls) })} />
        <Tile
          title={say('insight.advice.verified')}
          value={say(advice.verified ? 'yes' : 'no')}
          tone={advice.verified ? 'good' : 'plain'}
          note={advice.madeAt ? <Moment at={advice.madeAt} /> : null}
        />
      </div>
      {advice.notVerifiedBecause && (
        <p class="note" lang="en">
          {advice.notVerifiedBecause}
        </p>
      )}
      <section class="section">
        <h2>{say('insight.advice.create')}</h2>
        {advice.create.length === 0 ? <Empty icon="check" text={say('insight.advice.nothing_to_create')} /> : advice.create.map((one) => <Creation key={one.ddl} one={one} />)}
      </section>
      {advice.drop.length > 0 && (
        <section class="section">
          <h2>{say('insight.advice.drop')}</h2>
          {advice.drop.map((one) => (
            <article class="card insight-pattern" key={one.ddl}>
              <div class="insight-head">
                <h3 class="mono">{one.name}</h3>
                <span class="insight-acts">
                  <span class="quiet small">{bytes(one.sizeBytes)}</span>
                  <CopyButton text={one.ddl} label={say('insight.advice.copy')} />
                </span>
              </div>
              <Sql text={one.ddl} />
              <p lang="en">{one.reason}</p>
            </article>
          ))}
        </section>
      )}
      <Rejected advice={advice} />
    </>
  );
}

function Creation({ one }: { one: CreationDocument }) {
  const { say, bytes } = useTongue();
  const { took } = useWriting();
  return (
    <article class="card insight-pattern" data-index={one.name}>
      <div class="insight-head">
        <h3>
          <span class="mono">{one.table}</span> ({one.columns.join(', ')})
        </h3>
        <span class="insight-acts">
          <Badge tone="good">{say('insight.advice.saves', { time: took(one.savedTime) })}</Badge>
          <span class="quiet small">{bytes(one.sizeBytes)}</span>
          <CopyButton text={one.ddl} label={say('insight.advice.copy')} />
        </span>
      </div>
      <Sql text={one.ddl} />
      {one.note && <p lang="en">{one.note}</p>}
      <Effects title={say('insight.advice.helps')} effects={one.helps} />
      {one.slows.length > 0 ? <Effects title={say('insight.advice.slows')} effects={one.slows} /> : <p class="quiet small">{say('insight.advice.slows_nothing')}</p>}
    </article>
  );
}

function Effects({ title, effects }: { title: string; effects: readonly EffectDocument[] }) {
  const { say, count } = useTongue();
  const { took, times } = useWriting();
  const gain = (value: number | null) => (value === null ? <span class="quiet">–</span> : <span class={value < 1 ? 'late' : undefined}>{times(value)}</span>);
  return (
    <div class="insight-scroll" tabIndex={0} role="region" aria-label={title}>
      <table class="plain-table">
        <caption>{title}</caption>
        <thead>
          <tr>
            <th scope="col">{say('insight.statement')}</th>
            <th scope="col" class="end">
              {say('insight.count')}
            </th>
            <th scope="col" class="end">
              {say('insight.total_time')}
            </th>
            <th scope="col" class="end">
              {say('insight.gain.estimated')}
            </th>
            <th scope="col" class="end">
              {say('insight.gain.verified')}
            </th>
            <th scope="col" class="end">
              {say('insight.gain.worst')}
            </th>
            <th scope="col" class="end">
              {say('insight.gain.observed')}
            </th>
          </tr>
        </thead>
        <tbody>
          {effects.map((effect) => (
            <tr key={effect.fingerprint}>
              <td>
                <a href={statementHref(effect.fingerprint)}>{effect.name}</a>
              </td>
              <td class="end number">{count(effect.calls)}</td>
              <td class="end number">{took(effect.totalTime)}</td>
              <td class="end number">{gain(effect.gain.estimated)}</td>
              <td class="end number">{gain(effect.gain.verified)}</td>
              <td class="end number">{gain(effect.gain.verifiedWorst)}</td>
              <td class="end number">{gain(effect.gain.observed)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Rejected({ advice }: { advice: AdviceDocument }) {
  const { say } = useTongue();
  const columns: FigureColumn<AdviceDocument['rejected'][number]>[] = [
    { id: 'index', title: say('insight.advice.index'), isMain: true, cell: (row) => <span class="mono">{row.index}</span>, value: (row) => row.index },
    { id: 'reason', title: say('insight.advice.reason'), cell: (row) => <span lang="en">{row.reason}</span>, value: (row) => row.reason },
  ];
  return (
    <>
      {advice.rejected.length > 0 && (
        <details class="section">
          <summary>{say('insight.advice.rejected', { number: advice.rejectedCount })}</summary>
          <FiguresTable label={say('insight.advice.rejected', { number: advice.rejectedCount })} rows={advice.rejected} columns={columns} rowKey={(row) => row.index} exportAs="rejected-indexes" empty="" shown={20} />
        </details>
      )}
      {advice.notUnderstood.length > 0 && (
        <details class="section">
          <summary>{say('insight.advice.not_understood', { number: advice.notUnderstood.length })}</summary>
          <ul lang="en">
            {advice.notUnderstood.map((one) => (
              <li key={one.name}>
                <span class="mono">{one.name}</span>: {one.reason}
              </li>
            ))}
          </ul>
        </details>
      )}
    </>
  );
}
