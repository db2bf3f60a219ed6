/** What the socket says of jobs: how far each is, and which items have failed. */

import { signal } from '@preact/signals';
import type { JobComplete, JobError, JobProgress } from '../../events';
import { connection } from '../../live/current';

/** More than anybody follows at once; the oldest go. */
const MAX_JOBS = 100;
const MAX_ERRORS = 100;

const progress = signal<ReadonlyMap<number, JobProgress>>(new Map());
const errors = signal<ReadonlyMap<number, readonly JobError[]>>(new Map());
let listeners = 0;

/** The newest progress of a job that was heard; undefined before the first. */
export function progressOf(jobId: number): JobProgress | undefined {
  return progress.value.get(jobId);
}

/** Items of this attempt that were heard to fail, in the order in which they did. */
export function errorsOf(jobId: number): readonly JobError[] {
  return errors.value.get(jobId) ?? [];
}

function kept<Value>(all: ReadonlyMap<number, Value>, jobId: number, value: Value): ReadonlyMap<number, Value> {
  const next = new Map(all);
  next.delete(jobId);
  next.set(jobId, value);
  for (const oldest of next.keys()) {
    if (next.size <= MAX_JOBS) break;
    next.delete(oldest);
  }
  return next;
}

function onProgress(said: JobProgress): void {
  const before = progress.peek().get(said.jobId);
  if (before && before.attempt < said.attempt) errors.value = kept(errors.peek(), said.jobId, []);
  progress.value = kept(progress.peek(), said.jobId, said);
}

function onError(said: JobError): void {
  const known = errors.peek().get(said.jobId) ?? [];
  if (known.length >= MAX_ERRORS || known.some((one) => one.item === said.item)) return;
  errors.value = kept(errors.peek(), said.jobId, [...known, said]);
}

/** Listen until the returned function is called; `ended` is told of every job that is over. */
export function followJobs(ended: (said: JobComplete) => void = () => {}): () => void {
  const { socket } = connection;
  if (listeners++ === 0) {
    socket.on('batch:progress', onProgress);
    socket.on('batch:error', onError);
  }
  socket.on('batch:complete', ended);
  return () => {
    socket.off('batch:complete', ended);
    if (--listeners > 0) return;
    socket.off('batch:progress', onProgress);
    socket.off('batch:error', onError);
  };
}

/** Hear of somebody else's job, also after a reconnection. Returns how to stop that. */
export function watchJob(jobId: number): () => void {
  const room = `batch-job:${jobId}`;
  const stop = connection.onConnect(() => connection.socket.emit('room:join', { room }, () => {}));
  if (connection.isLive) connection.socket.emit('room:join', { room }, () => {});
  return () => {
    stop();
    if (connection.isLive) connection.socket.emit('room:leave', { room }, () => {});
  };
}
