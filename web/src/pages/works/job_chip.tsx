import { useEffect, useRef } from 'preact/hooks';
import { useListing } from '../../live/use_answer';
import { api, useUser } from '../../session/current';
import { toast } from '../../ui/toast';
import '../../words/jobs';
import { useTongue } from '../../words/tongue';
import { followJobs } from './job_progress';
import { useHowFar, useKindName } from './job_state';
import './job_chip.css';
import type { JobRow } from '../../api/types';

/** In the top bar, while a job of the visitor is under way: how far it is. When it is over, a toast says how it went. */
export function JobChip() {
  const { say } = useTongue();
  const user = useUser();
  const nameOf = useKindName();
  const list = useListing('/api/batch/jobs', { query: { mine: true, status: ['queued', 'running'], limit: 20 } });
  const seen = useRef(new Map<number, string>());
  for (const row of list.rows) seen.current.set(row.id, row.kind);
  const { refresh } = list;
  useEffect(
    () =>
      followJobs(async ({ jobId, result }) => {
        // One that was over before the list could show it is asked for; it may also be somebody else's that is watched.
        const kind = seen.current.get(jobId) ?? (await kindOfOwn(jobId, user.id));
        if (kind === null) return;
        seen.current.delete(jobId);
        toast(say(`jobs.over.${result.status === 'done' ? 'done' : result.status === 'cancelled' ? 'cancelled' : 'failed'}`, { name: nameOf(kind), count: result.failed }), {
          isProblem: result.status === 'failed',
        });
        refresh();
      }),
    [say, list.at, user.id],
  );
  const [job] = list.rows;
  return job ? <Chip job={job} others={list.rows.length - 1} /> : null;
}

/** Null: it is not his, or gone. */
async function kindOfOwn(jobId: number, userId: number): Promise<string | null> {
  try {
    const { data } = await api.get('/api/batch/jobs/{job_id}', { path: { job_id: jobId } });
    return data.ownerId === userId ? data.kind : null;
  } catch {
    return null; // it only tells what the page of the job shows anyway
  }
}

function Chip({ job, others }: { job: JobRow; others: number }) {
  const { say, percent } = useTongue();
  const nameOf = useKindName();
  const { ended, total } = useHowFar(job);
  const share = total > 0 ? ended / total : 0;
  const text = say('jobs.chip', { name: nameOf(job.kind), share: percent(Math.floor(share * 100) / 100) });
  return (
    <a class="job-chip" href={others > 0 ? '/jobs?mine=1' : `/jobs/${job.id}`} title={text} aria-label={text}>
      <svg viewBox="0 0 20 20" aria-hidden="true">
        <circle cx="10" cy="10" r="7.500" class="track" />
        <circle cx="10" cy="10" r="7.500" class="done" pathLength={100} stroke-dasharray={`${share * 100} 100`} transform="rotate(-90 10 10)" />
      </svg>
      <span class="number">{percent(Math.floor(share * 100) / 100)}</span>
      {others > 0 && <span class="quiet small">+{others}</span>}
    </a>
  );
}
