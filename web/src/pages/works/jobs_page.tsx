import { useEffect } from 'preact/hooks';
import type { JobRow, JobStatus } from '../../api/types';
import { useListing } from '../../live/use_answer';
import { may, useUser } from '../../session/current';
import { DataTable, type Column } from '../../ui/data_table';
import { Moment } from '../../ui/day';
import { FilterBar, SelectFilter, useFilters } from '../../ui/filter_bar';
import { Icon } from '../../ui/icon';
import { oneOf } from '../../ui/one_of';
import { PageHeader } from '../../ui/page_header';
import '../../words/jobs';
import { useTongue } from '../../words/tongue';
import { KINDS } from './job_kinds';
import { followJobs } from './job_progress';
import { JobBadge, JobProgress, STATUSES, useKindName } from './job_state';
import './jobs.css';

const NONE = '' as const;

export default function JobsPage() {
  const { say, count } = useTongue();
  const user = useUser();
  const nameOf = useKindName();
  const filters = useFilters('status', 'kind', 'mine');
  const { kind, mine } = filters.values;
  const status = oneOf<JobStatus | ''>([NONE, ...STATUSES], filters.values.status, NONE);
  const list = useListing('/api/batch/jobs', {
    query: { ...(status ? { status: [status] } : {}), ...(kind ? { kind } : {}), ...(mine ? { mine: true } : {}) },
  });
  useEffect(() => followJobs(), []);
  const filtered = { is: filters.is, clear: filters.clear };
  const columns: Column<JobRow>[] = [
    { id: 'kind', title: say('jobs.kind'), isMain: true, cell: (row) => nameOf(row.kind), text: (row) => nameOf(row.kind) },
    { id: 'id', title: say('jobs.number'), align: 'end', isExtra: true, cell: (row) => <span class="number">{row.id}</span>, text: (row) => row.id },
    { id: 'status', title: say('jobs.status'), cell: (row) => <JobBadge job={row} />, text: (row) => say(`job_status.${row.status}`) },
    { id: 'progress', title: say('jobs.progress'), cell: (row) => <span class="job-bar"><JobProgress job={row} label={nameOf(row.kind)} /></span>, text: (row) => row.percent },
    { id: 'items', title: say('jobs.items'), align: 'end', isExtra: true, cell: (row) => count(row.total), text: (row) => row.total },
    {
      id: 'failed',
      title: say('jobs.failed'),
      align: 'end',
      cell: (row) => <span class={row.failed > 0 ? 'number late' : 'number quiet'}>{count(row.failed)}</span>,
      text: (row) => row.failed,
    },
    { id: 'owner', title: say('jobs.owner'), cell: (row) => (row.ownerId === user.id ? say('jobs.me') : row.ownerName), text: (row) => row.ownerName },
    { id: 'created', title: say('jobs.created'), cell: (row) => <Moment at={row.createdAt} />, text: (row) => row.createdAt },
  ];
  return (
    <div class="page">
      <PageHeader
        title={say('nav.jobs')}
        actions={
          may('clerk') && (
            <a class="button primary" href="/jobs/new">
              <Icon name="play" />
              {say('nav.jobs.new')}
            </a>
          )
        }
      />
      <FilterBar filtered={filtered}>
        <SelectFilter name="status" label={say('jobs.status')} options={STATUSES.map((value) => ({ value, title: say(`job_status.${value}`) }))} />
        <SelectFilter name="kind" label={say('jobs.kind')} options={KINDS.map((value) => ({ value, title: nameOf(value) }))} />
        <SelectFilter name="mine" label={say('jobs.owner')} all={say('jobs.everybody')} options={[{ value: '1', title: say('jobs.only_mine') }]} />
      </FilterBar>
      <DataTable
        label={say('nav.jobs')}
        list={list}
        columns={columns}
        rowKey={(row) => row.id}
        href={(row) => `/jobs/${row.id}`}
        exportAs="jobs"
        empty={say('jobs.empty')}
        filtered={filtered}
      />
    </div>
  );
}
