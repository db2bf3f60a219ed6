import './insight.css';
import { useState } from 'preact/hooks';
import type { ChangeDocument, StatementChangeDocument } from '../../api/types';
import { useQuery } from '../../app/router';
import { useChangedRows } from '../../live/changed';
import { api, may } from '../../session/current';
import { AnswerView } from '../../ui/answer_view';
import { Badge, type Tone } from '../../ui/badge';
import { Button } from '../../ui/button';
import { Moment } from '../../ui/day';
import { Dialog } from '../../ui/dialog';
import { Empty } from '../../ui/empty';
import { TextField } from '../../ui/field';
import { FiguresTable, type FigureColumn } from '../../ui/figures_table';
import { Form } from '../../ui/form';
import { PageHeader } from '../../ui/page_header';
import { toast } from '../../ui/toast';
import { useForm } from '../../ui/use_form';
import '../../words/insight';
import { useTongue } from '../../words/tongue';
import { statementHref } from './statements_panel';
import { Sql } from './sql';
import { useTicking } from './ticking';
import { useWriting } from './writing';

export const VERDICT_TONES: Record<ChangeDocument['verdict'], Tone> = { improved: 'good', regressed: 'late', neutral: 'plain', undecided: 'warn', too_few: 'plain' };

/** What came of changes: of the schema, of releases, of what somebody has marked. */
export default function ComparisonsPage() {
  const { say } = useTongue();
  const [query, setQuery] = useQuery();
  const [isMarking, setMarking] = useState(false);
  const answer = useTicking('/api/diagnostics/comparisons', { query: { limit: 200 } }, 15_000);
  const changes = answer.body?.data ?? [];
  const chosen = query.get('change') ?? changes[0]?.id;
  const marked = useChangedRows(changes, (change) => change.id, '', answer.phase === 'ready');
  return (
    <div class="page">
      <PageHeader
        title={say('nav.comparisons')}
        note={say('insight.comparisons.note')}
        actions={
          <>
            <Button icon="print" onClick={() => print()}>
              {say('insight.report')}
            </Button>
            {may('admin') && (
              <Button kind="primary" icon="plus" onClick={() => setMarking(true)}>
                {say('insight.mark')}
              </Button>
            )}
          </>
        }
      />
      {isMarking && (
        <MarkDialog
          close={(change) => {
            setMarking(false);
            answer.refresh();
            if (change) setQuery({ change: change.id });
          }}
        />
      )}
      <AnswerView answer={answer}>
        {({ data }) =>
          data.length === 0 ? (
            <Empty icon="compare" text={say('insight.comparisons.empty')} />
          ) : (
            data.map((change) => (
              <Change
                key={change.id}
                change={change}
                isOpen={change.id === chosen}
                isNew={marked.has(change.id)}
                toggle={(isOpen) => (isOpen ? setQuery({ change: change.id }) : change.id === chosen && setQuery({ change: 'none' }))}
              />
            ))
          )
        }
      </AnswerView>
    </div>
  );
}

function MarkDialog({ close }: { close: (change: ChangeDocument | null) => void }) {
  const { say } = useTongue();
  const form = useForm({
    name: 'change.mark',
    initial: { note: '', tables: '' },
    save: async ({ note, tables }) => {
      const named = tables.split(/[\s,;]+/).filter(Boolean);
      const { data } = await api.post('/api/diagnostics/comparisons', { body: { note, tables: named } });
      toast(say('insight.marked'));
      close(data);
    },
  });
  return (
    <Dialog title={say('insight.mark')} onClose={() => close(null)}>
      <p class="quiet">{say('insight.mark.why')}</p>
      <Form form={form} labels={{ note: say('insight.mark.text'), tables: say('insight.mark.tables') }} onCancel={() => close(null)}>
        <TextField form={form} name="note" label={say('insight.mark.text')} required maxLength={500} wide autofocus />
        <TextField form={form} name="tables" label={say('insight.mark.tables')} hint={say('insight.mark.tables.hint')} wide />
      </Form>
    </Dialog>
  );
}

function Change({ change, isOpen, isNew, toggle }: { change: ChangeDocument; isOpen: boolean; isNew: boolean; toggle: (isOpen: boolean) => void }) {
  const { say, knows, list } = useTongue();
  const { took } = useWriting();
  const cause = `insight.cause.${change.cause}`;
  return (
    <details class="card insight-change" open={isOpen} data-changed={isNew ? '' : undefined} onToggle={(event) => event.currentTarget.open !== isOpen && toggle(event.currentTarget.open)}>
      <summary>
        <Badge tone={VERDICT_TONES[change.verdict]}>{say(`insight.verdict.${change.verdict}`)}</Badge>
        <strong>{change.note || change.ddl.slice(0, 80) || (knows(cause) ? say(cause) : change.cause)}</strong>
        <span class="quiet small">
          {knows(cause) ? say(cause) : change.cause} · <Moment at={change.at} />
          {change.author && ` · ${change.author}`}
          {change.savedMs !== 0 && ` · ${say(change.savedMs > 0 ? 'insight.saved' : 'insight.lost', { time: took(Math.abs(change.savedMs)) })}`}
        </span>
      </summary>
      {isOpen && (
        <div class="insight-list">
          {change.ddl && <Sql text={change.ddl} />}
          {change.tables.length > 0 && <p class="quiet small">{say('insight.tables', { list: list(change.tables) })}</p>}
          {!change.settled && <p class="note">{say('insight.not_settled')}</p>}
          <Statements statements={change.statements} />
        </div>
      )}
    </details>
  );
}

function Statements({ statements }: { statements: readonly StatementChangeDocument[] }) {
  const { say, count } = useTongue();
  const { took, times } = useWriting();
  const columns: FigureColumn<StatementChangeDocument>[] = [
    { id: 'name', title: say('insight.statement'), isMain: true, cell: (row) => row.name, value: (row) => row.name },
    { id: 'verdict', title: say('insight.verdict'), cell: (row) => <Badge tone={VERDICT_TONES[row.verdict]}>{say(`insight.verdict.${row.verdict}`)}</Badge>, value: (row) => row.verdict },
    { id: 'before', title: say('insight.p95_before'), align: 'end', cell: (row) => took(row.before.p95), value: (row) => row.before.p95 },
    { id: 'after', title: say('insight.p95_after'), align: 'end', cell: (row) => took(row.after.p95), value: (row) => row.after.p95 },
    { id: 'ratio', title: say('insight.ratio'), align: 'end', cell: (row) => (row.verdict === 'too_few' ? '–' : times(row.ratio)), value: (row) => row.ratio },
    { id: 'interval', title: say('insight.interval'), cell: (row) => <Interval of={row} /> },
    { id: 'runs', title: say('insight.runs_both'), align: 'end', isExtra: true, cell: (row) => `${count(row.before.count)} / ${count(row.after.count)}`, value: (row) => row.before.count + row.after.count },
    { id: 'saved', title: say('insight.saved_time'), align: 'end', cell: (row) => <Saved of={row} />, value: (row) => row.savedMs },
  ];
  return (
    <FiguresTable
      label={say('nav.comparisons')}
      rows={statements}
      columns={columns}
      rowKey={(row) => row.fingerprint}
      href={(row) => statementHref(row.fingerprint)}
      defaultSort="-saved"
      exportAs="comparison"
      empty={say('insight.comparisons.no_statements')}
    />
  );
}

function Saved({ of }: { of: StatementChangeDocument }) {
  const { took } = useWriting();
  const text = `${of.savedMs < 0 ? '−' : ''}${took(Math.abs(of.savedMs))}`;
  return <span class={of.verdict === 'regressed' ? 'late' : of.verdict === 'improved' ? undefined : 'quiet'}>{text}</span>;
}

/** Where after stands beside before, with the confidence interval: left of the middle is faster. */
function Interval({ of }: { of: StatementChangeDocument }) {
  const { say } = useTongue();
  const { times } = useWriting();
  const [low = 1, high = 1] = of.interval;
  if (of.verdict === 'too_few') return <span class="quiet">–</span>;
  // A quarter to four times, by their logarithm.
  const place = (ratio: number) => (Math.min(1, Math.max(-1, Math.log2(Math.max(ratio, 1e-6)) / 2)) + 1) * 50;
  const from = place(low);
  return (
    <span>
      <span class="insight-interval" data-verdict={of.verdict} aria-hidden="true">
        <span class="one" />
        <span class="range" style={{ left: `${from}%`, width: `${Math.max(2, place(high) - from)}%` }} />
      </span>
      <span class="small quiet number">{say('insight.from_to', { low: times(low), high: times(high) })}</span>
    </span>
  );
}
