import { useState } from 'preact/hooks';
import { asProblem } from '../../api/problem';
import type { AuditView } from '../../api/types';
import { useListing } from '../../live/use_answer';
import { api } from '../../session/current';
import { Button } from '../../ui/button';
import { saveFile } from '../../ui/csv';
import { DataTable, type Column } from '../../ui/data_table';
import { DateRange } from '../../ui/date_range';
import { Moment } from '../../ui/day';
import { FilterBar, SearchFilter, SelectFilter, useFilters } from '../../ui/filter_bar';
import { oneOf } from '../../ui/one_of';
import { PageHeader } from '../../ui/page_header';
import { titleOf } from '../../ui/problem_note';
import { toast } from '../../ui/toast';
import { ACTS, actPhrase } from '../../words/acts';
import '../../words/audit';
import '../../words/customers';
import '../../words/functions';
import '../../words/invoice_status';
import { useTongue } from '../../words/tongue';
import { beginOf, dayAfter } from './difference';
import { DifferenceLine } from './difference_table';
import { ENTITIES } from './entities';
import './audit.css';

const NONE = '' as const;
const isDate = (text: string | undefined): text is string => text !== undefined && /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(Date.parse(text));

/** Who changed what, newest first. */
export default function AuditPage() {
  const { say } = useTongue();
  const filters = useFilters('q', 'entity', 'id', 'actor', 'action', 'request', 'from', 'to');
  const { q, id, actor, action, request, from, to } = filters.values;
  const entity = oneOf([NONE, ...ENTITIES], filters.values.entity, NONE);
  const query = {
    ...(q ? { q } : {}),
    ...(entity ? { entity } : {}),
    ...(id ? { entityId: id } : {}),
    ...(actor && /^[1-9]\d{0,8}$/.test(actor) ? { actorId: Number(actor) } : {}),
    ...(action ? { action } : {}),
    ...(request ? { requestId: request } : {}),
    ...(isDate(from) ? { from: beginOf(from) } : {}),
    ...(isDate(to) ? { to: beginOf(dayAfter(to)) } : {}),
  };
  const list = useListing('/api/audit', { query });
  const filtered = { is: filters.is, clear: filters.clear };
  const actors = actorsOf(list.rows, actor);
  const columns: Column<AuditView>[] = [
    { id: 'what', title: say('audit.what'), isMain: true, cell: (row) => <What entry={row} /> },
    { id: 'on', title: say('audit.on'), cell: (row) => <span>{row.summary || row.entityId}</span> },
    { id: 'changes', title: say('audit.changes'), isExtra: true, cell: (row) => <DifferenceLine entity={row.entity} before={row.before} after={row.after} /> },
    { id: 'who', title: say('audit.who'), cell: (row) => <span class="audit-who">{row.actorName}</span> },
    { id: 'when', title: say('audit.when'), cell: (row) => <Moment at={row.at} /> },
  ];
  return (
    <div class="page audit">
      <PageHeader title={say('nav.audit')} note={say('audit.note')} actions={<Export query={query} />} />
      <FilterBar filtered={filtered}>
        <SearchFilter hint={say('audit.search')} />
        <SelectFilter name="entity" label={say('audit.entity')} options={ENTITIES.map((value) => ({ value, title: say(`audit_entity.${value}`) }))} />
        <SelectFilter name="action" label={say('audit.what')} options={ACTS.map((value) => ({ value, title: say(`act.${value}`) }))} />
        <SelectFilter name="actor" label={say('audit.who')} options={actors} />
        <DateRange />
      </FilterBar>
      {(id ?? request) && <p class="note small">{id ? say('audit.one_record', { id }) : say('audit.one_request', { id: request ?? '' })}</p>}
      <DataTable
        label={say('nav.audit')}
        list={list}
        columns={columns}
        rowKey={(row) => row.id}
        href={(row) => `/audit/${row.id}`}
        empty={say('audit.empty')}
        filtered={filtered}
      />
    </div>
  );
}

function What({ entry }: { entry: AuditView }) {
  const { say } = useTongue();
  const phrase = actPhrase(entry.action);
  return <>{phrase ? say(phrase) : entry.action}</>;
}

/** Those who acted in what is shown, and the one who is chosen: the list of all users is the administrators'. */
function actorsOf(rows: readonly AuditView[], chosen: string | undefined): { value: string; title: string }[] {
  const names = new Map<string, string>();
  for (const row of rows) if (row.actorId !== null) names.set(String(row.actorId), row.actorName);
  if (chosen && !names.has(chosen)) names.set(chosen, `#${chosen}`);
  return [...names].map(([value, title]) => ({ value, title })).sort((one, other) => one.title.localeCompare(other.title));
}

/** All that the filters let through, as the server writes it. */
function Export({ query }: { query: Record<string, string | number> }) {
  const { say } = useTongue();
  const [isBusy, setBusy] = useState(false);
  const save = async () => {
    setBusy(true);
    try {
      const { blob, name } = await api.file('/api/audit/export', { query });
      saveFile(name, blob);
    } catch (error) {
      toast(say(titleOf(asProblem(error))), { isProblem: true });
    } finally {
      setBusy(false);
    }
  };
  return (
    <Button icon="download" busy={isBusy} title={say('table.export.title')} onClick={() => void save()}>
      {say('table.export')}
    </Button>
  );
}
