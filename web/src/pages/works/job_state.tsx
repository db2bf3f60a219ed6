import type { JobRow, JobStatus } from '../../api/types';
import { Badge, type Tone } from '../../ui/badge';
import { Progress } from '../../ui/progress';
import { useTongue } from '../../words/tongue';
import { progressOf } from './job_progress';

const TONES: Record<JobStatus, Tone> = { queued: 'plain', running: 'active', done: 'good', failed: 'late', cancelled: 'warn' };

export const STATUSES: readonly JobStatus[] = ['queued', 'running', 'done', 'failed', 'cancelled'];

export function isOpen(status: JobStatus): boolean {
  return status === 'queued' || status === 'running';
}

export function JobBadge({ job }: { job: Pick<JobRow, 'status' | 'isCancelling'> }) {
  const { say } = useTongue();
  const isEnding = job.isCancelling && isOpen(job.status);
  return <Badge tone={isEnding ? 'warn' : TONES[job.status]}>{say(isEnding ? 'jobs.cancelling' : `job_status.${job.status}`)}</Badge>;
}

/** How far a job is: what the socket said last, or what the answer says, whichever is further. */
export function useHowFar(job: JobRow): { ended: number; total: number } {
  const heard = progressOf(job.id);
  const told = job.done + job.failed;
  if (!isOpen(job.status) || !heard || heard.attempt < job.attempt || heard.done < told) return { ended: told, total: job.total };
  return { ended: heard.done, total: heard.total };
}

export function JobProgress({ job, label }: { job: JobRow; label: string }) {
  const { ended, total } = useHowFar(job);
  if (job.status === 'queued' || (job.status === 'running' && total === 0)) return <Progress label={label} done={0} total={null} />;
  if (total === 0) return null;
  const tone = job.status === 'done' ? 'good' : job.status === 'failed' ? 'late' : 'active';
  return <Progress label={label} done={ended} total={total} tone={tone} />;
}

/** What a kind of job is called; one of another release by its own word. */
export function useKindName(): (kind: string) => string {
  const { say, knows } = useTongue();
  return (kind) => {
    const phrase = `job_kind.${kind}`;
    return knows(phrase) ? say(phrase) : kind;
  };
}
