import { useTongue } from '../words/tongue';

/** Where something will be: as many lines as it will roughly have. */
export function Skeleton({ lines = 6, label }: { lines?: number; label?: string }) {
  const { say } = useTongue();
  return (
    <div class="skeleton" role="status" aria-busy="true">
      <span class="unseen">{label ?? say('state.loading')}</span>
      {Array.from({ length: lines }, (_, line) => (
        <span class="bone" key={line} aria-hidden="true" />
      ))}
    </div>
  );
}
