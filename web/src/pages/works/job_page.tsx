import { useEffect } from 'preact/hooks';
import { asProblem } from '../../api/problem';
import type { ItemView, JobStatus, JobView } from '../../api/types';
import { MANAGEMENT, type PageProps } from '../../app/pages';
import { leaveFor, useQuery } from '../../app/router';
import { useAnswer, useListing } from '../../live/use_answer';
import { api, may, useUser } from '../../session/current';
import { AnswerView } from '../../ui/answer_view';
import { Badge } from '../../ui/badge';
import { Button } from '../../ui/button';
import { confirm } from '../../ui/confirm';
import { saveFile } from '../../ui/csv';
import { DataTable, type Column } from '../../ui/data_table';
import { Moment } from '../../ui/day';
import { Details } from '../../ui/details';
import { oneOf } from '../../ui/one_of';
import { PageHeader } from '../../ui/page_header';
import { titleOf } from '../../ui/problem_note';
import { Tabs } from '../../ui/tabs';
import { toast } from '../../ui/toast';
import '../../words/jobs';
import { useTongue } from '../../words/tongue';
import { errorsOf, followJobs, watchJob } from './job_progress';
import { isOpen, JobBadge, JobProgress, useHowFar, useKindName } from './job_state';
import './jobs.css';

export default function JobPage({ params }: PageProps) {
  const { say } = useTongue();
  const user = useUser();
  const nameOf = useKindName();
  const id = Number(params['id']);
  const answer = useAnswer('/api/batch/jobs/{job_id}', { path: { job_id: id } });
  const job = answer.body?.data;
  const isMine = job?.ownerId === user.id;
  const maySee = isMine || MANAGEMENT.includes(user.role);
  const mayChange = may('clerk') && (isMine || may('manager'));
  const { refresh } = answer;
  useEffect(() => followJobs((said) => said.jobId === id && refresh()), [id]);
  const isHeard = job !== undefined && isOpen(job.status) && maySee && !isMine;
  useEffect(() => (isHeard ? watchJob(id) : undefined), [id, isHeard]);
  return (
    <div class="page">
      <PageHeader
        back={{ to: '/jobs', title: say('nav.jobs') }}
        title={job ? nameOf(job.kind) : say('nav.job')}
        note={job && say('jobs.note', { id: String(job.id), owner: job.ownerName })}
        badge={job && <JobBadge job={job} />}
        actions={job && <Acts job={job} maySee={maySee} mayChange={mayChange} refresh={refresh} />}
      />
      <AnswerView answer={answer}>{({ data }) => <Facts job={data} />}</AnswerView>
      {job && maySee && <Items job={job} />}
    </div>
  );
}

function Acts({ job, maySee, mayChange, refresh }: { job: JobView; maySee: boolean; mayChange: boolean; refresh: () => void }) {
  const { say } = useTongue();
  const nameOf = useKindName();
  const path = { job_id: job.id };
  const attempt = async (act: () => Promise<unknown>) => {
    try {
      await act();
      refresh();
    } catch (error) {
      const problem = asProblem(error);
      toast(`${say(titleOf(problem))}. ${problem.detail}`, { isProblem: true });
    }
  };
  const ask = (name: 'cancel' | 'delete') =>
    confirm({ title: say(`jobs.${name}.title`, { name: nameOf(job.kind) }), text: say(`jobs.${name}.text`), act: say(`jobs.${name}`), isDanger: true });
  const download = async () => {
    const { blob, name } = await api.file('/api/batch/jobs/{job_id}/download', { path });
    saveFile(name, blob);
  };
  return (
    <>
      {job.hasDownload && maySee && (
        <Button kind="primary" icon="download" onClick={() => void attempt(download)}>
          {say('jobs.download')}
        </Button>
      )}
      {mayChange && (job.status === 'failed' || job.status === 'cancelled') && (
        <Button icon="undo" onClick={() => void attempt(() => api.post('/api/batch/jobs/{job_id}/retry', { path }))}>
          {say('jobs.retry')}
        </Button>
      )}
      {mayChange && isOpen(job.status) && !job.isCancelling && (
        <Button kind="danger" icon="stop" onClick={() => void attempt(async () => (await ask('cancel')) && (await api.post('/api/batch/jobs/{job_id}/cancel', { path })))}>
          {say('jobs.cancel')}
        </Button>
      )}
      {mayChange && !isOpen(job.status) && (
        <Button
          icon="trash"
          onClick={() =>
            void attempt(async () => {
              if (!(await ask('delete'))) return;
              await api.delete('/api/batch/jobs/{job_id}', { path });
              toast(say('jobs.deleted'));
              leaveFor('/jobs');
            })
          }
        >
          {say('jobs.delete')}
        </Button>
      )}
    </>
  );
}

function Facts({ job }: { job: JobView }) {
  const { say, count, duration } = useTongue();
  const nameOf = useKindName();
  const { ended, total } = useHowFar(job);
  const tookMs = job.startedAt && job.finishedAt ? Date.parse(job.finishedAt) - Date.parse(job.startedAt) : null;
  return (
    <>
      <section class="card job-state" aria-label={say('jobs.progress')}>
        <JobProgress job={job} label={nameOf(job.kind)} />
        <dl class="job-figures">
          <Figure name={say('jobs.ended')} value={`${count(ended)} / ${count(total)}`} />
          <Figure name={say('jobs.failed')} value={count(Math.max(job.failed, isOpen(job.status) ? errorsOf(job.id).length : 0))} isLate={job.failed > 0} />
          <Figure name={say('jobs.cancelled')} value={count(job.cancelled)} />
          <Figure name={say('jobs.attempt')} value={count(job.attempt)} />
        </dl>
        {job.error && (
          <p class="note problem" role="alert" lang="en">
            {job.error}
          </p>
        )}
      </section>
      <div class="columns">
        <Details
          rows={[
            [say('jobs.created'), <Moment at={job.createdAt} />],
            [say('jobs.started'), <Moment at={job.startedAt} />],
            [say('jobs.finished'), <Moment at={job.finishedAt} />],
            [say('jobs.took'), tookMs !== null && tookMs >= 0 ? duration(tookMs) : null],
          ]}
        />
        {job.parameters && Object.keys(job.parameters).length > 0 && (
          <Details title={say('jobs.parameters')} rows={Object.entries(job.parameters).map(([name, value]) => [name, shortly(value)] as const)} />
        )}
      </div>
    </>
  );
}

function Figure({ name, value, isLate = false }: { name: string; value: string; isLate?: boolean }) {
  return (
    <div>
      <dt class="quiet small">{name}</dt>
      <dd class={isLate ? 'number late' : 'number'}>{value}</dd>
    </div>
  );
}

const MAX_CHARS = 160;

/** A value on one line: what is within it by name, what is empty left out. */
function shortly(value: unknown): string {
  const text = spoken(value);
  return text.length > MAX_CHARS ? `${text.slice(0, MAX_CHARS)} …` : text;
}

function spoken(value: unknown): string {
  if (value === null || typeof value !== 'object') return String(value ?? '');
  if (Array.isArray(value)) return value.map(spoken).join(', ');
  return Object.entries(value)
    .map(([name, one]) => (one !== null && typeof one === 'object' ? spoken(one) : one === '' ? '' : `${name} ${spoken(one)}`))
    .filter((part) => part !== '')
    .join(' · ');
}

const SHOWN = ['failed', 'all'] as const;
const TONES: Record<JobStatus, 'plain' | 'active' | 'good' | 'late' | 'warn'> = { queued: 'plain', running: 'active', done: 'good', failed: 'late', cancelled: 'warn' };

function Items({ job }: { job: JobView }) {
  const { say } = useTongue();
  const [query, setQuery] = useQuery();
  const shown = oneOf(SHOWN, query.get('items') ?? undefined, job.failed > 0 || isOpen(job.status) ? 'failed' : 'all');
  const list = useListing('/api/batch/jobs/{job_id}/items', {
    path: { job_id: job.id },
    query: { limit: 50, ...(shown === 'failed' ? { status: 'failed' as const } : {}) },
  });
  // What has failed since the list was read is there as soon as the socket says it.
  const known = new Set(list.rows.map((row) => row.position));
  const heard: ItemView[] =
    shown === 'failed' && list.phase === 'ready' && !list.more && isOpen(job.status)
      ? errorsOf(job.id)
          .filter((one) => !known.has(one.item))
          .map((one) => ({ position: one.item, status: 'failed', payload: {}, error: one.error, attempts: job.attempt }))
      : [];
  const rows = heard.length > 0 ? [...list.rows, ...heard].sort((one, other) => one.position - other.position) : list.rows;
  const columns: Column<ItemView>[] = [
    { id: 'position', title: say('jobs.position'), align: 'end', cell: (row) => <span class="number">{row.position}</span>, text: (row) => row.position },
    { id: 'payload', title: say('jobs.item'), isMain: true, cell: (row) => <span class="job-payload">{shortly(row.payload)}</span>, text: (row) => JSON.stringify(row.payload) },
    { id: 'status', title: say('jobs.status'), cell: (row) => <Badge tone={TONES[row.status]}>{say(`job_status.${row.status}`)}</Badge>, text: (row) => say(`job_status.${row.status}`) },
    { id: 'error', title: say('jobs.error'), cell: (row) => (row.error ? <span lang="en">{row.error}</span> : <span class="quiet">–</span>), text: (row) => row.error },
    { id: 'attempts', title: say('jobs.attempts'), align: 'end', isExtra: true, cell: (row) => row.attempts, text: (row) => row.attempts },
  ];
  return (
    <Tabs
      label={say('jobs.items')}
      tabs={[
        { id: 'failed', title: say('jobs.errors'), count: Math.max(job.failed, shown === 'failed' ? rows.length : 0) },
        { id: 'all', title: say('jobs.all_items'), count: job.total },
      ]}
      shown={shown}
      show={(id) => setQuery({ items: id })}
    >
      <DataTable
        label={say('jobs.items')}
        list={{ ...list, rows }}
        columns={columns}
        rowKey={(row) => row.position}
        exportAs={`job-${job.id}-items`}
        empty={say(shown === 'failed' ? 'jobs.no_errors' : 'jobs.no_items')}
      />
    </Tabs>
  );
}
