import type { Live } from '../live/connection';
import { useTongue } from '../words/tongue';

export function LiveState({ live }: { live: Live }) {
  const { say } = useTongue();
  return (
    <p class="live" role="status" data-live={live}>
      <span class="dot" aria-hidden="true" />
      <span class="live-word">{say(`live.${live}`)}</span>
    </p>
  );
}
