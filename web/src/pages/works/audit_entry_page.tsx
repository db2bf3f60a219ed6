import type { AuditView } from '../../api/types';
import type { PageProps } from '../../app/pages';
import { useAnswer, useListing } from '../../live/use_answer';
import { AnswerView } from '../../ui/answer_view';
import { DataTable, type Column } from '../../ui/data_table';
import { Moment } from '../../ui/day';
import { Details } from '../../ui/details';
import { PageHeader } from '../../ui/page_header';
import { actPhrase } from '../../words/acts';
import '../../words/audit';
import '../../words/customers';
import '../../words/functions';
import '../../words/invoice_status';
import { useTongue } from '../../words/tongue';
import './audit.css';
import { DifferenceLine, DifferenceTable } from './difference_table';
import { addressOfRecord, isEntity } from './entities';

/** One act: what was, what became of it, and what else was done to the same record. */
export default function AuditEntryPage({ params }: PageProps) {
  const { say } = useTongue();
  const answer = useAnswer('/api/audit/{entry_id}', { path: { entry_id: Number(params['id']) } });
  const entry = answer.body?.data;
  const phrase = entry && actPhrase(entry.action);
  return (
    <div class="page audit">
      <PageHeader
        back={{ to: '/audit', title: say('nav.audit') }}
        title={phrase ? say(phrase) : (entry?.action ?? say('nav.audit.entry'))}
        note={entry?.summary}
      />
      <AnswerView answer={answer}>{({ data }) => <Entry entry={data} />}</AnswerView>
    </div>
  );
}

function Entry({ entry }: { entry: AuditView }) {
  const { say } = useTongue();
  const at = addressOfRecord(entry.entity, entry.entityId);
  const kind = isEntity(entry.entity) ? say(`audit_entity.${entry.entity}`) : entry.entity;
  const name = `${kind} ${entry.entityId}`;
  const filter = (some: Record<string, string>) => `/audit?${new URLSearchParams(some).toString()}`;
  return (
    <>
      <div class="columns">
        <Details
          rows={[
            [say('audit.who'), entry.actorId === null ? entry.actorName : <a href={filter({ actor: String(entry.actorId) })}>{entry.actorName}</a>],
            [say('audit.when'), <Moment at={entry.at} />],
            [say('audit.on'), at ? <a href={at}>{name}</a> : name],
            [say('audit.action'), <a href={filter({ action: entry.action })}>{entry.action}</a>],
            [say('audit.request'), entry.requestId && <a href={filter({ request: entry.requestId })}>{entry.requestId}</a>],
          ]}
        />
        <section class="card">
          <h2>{say('audit.changes')}</h2>
          <DifferenceTable entity={entry.entity} before={entry.before} after={entry.after} />
        </section>
      </div>
      <History entry={entry} />
    </>
  );
}

function History({ entry }: { entry: AuditView }) {
  const { say } = useTongue();
  const list = useListing('/api/audit', { query: { entity: entry.entity, entityId: entry.entityId, limit: 20 } });
  const columns: Column<AuditView>[] = [
    {
      id: 'what',
      title: say('audit.what'),
      isMain: true,
      cell: (row) => {
        const phrase = actPhrase(row.action);
        return (
          <span aria-current={row.id === entry.id ? 'true' : undefined} class={row.id === entry.id ? 'this-entry' : undefined}>
            {phrase ? say(phrase) : row.action}
          </span>
        );
      },
    },
    { id: 'changes', title: say('audit.changes'), isExtra: true, cell: (row) => <DifferenceLine entity={row.entity} before={row.before} after={row.after} /> },
    { id: 'who', title: say('audit.who'), cell: (row) => row.actorName },
    { id: 'when', title: say('audit.when'), cell: (row) => <Moment at={row.at} /> },
  ];
  return (
    <section class="section">
      <h2>{say('audit.same_record')}</h2>
      <DataTable label={say('audit.same_record')} list={list} columns={columns} rowKey={(row) => row.id} href={(row) => `/audit/${row.id}`} empty={say('audit.empty')} />
    </section>
  );
}
