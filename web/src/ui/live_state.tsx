import { useTongue } from '../tongue';
import type { Live } from '../feed';

export function LiveState({ live }: { live: Live }) {
  const { say } = useTongue();
  return (
    <p class="live" role="status" data-live={live}>
      <span class="dot" aria-hidden="true" />
      {say(`live.${live}`)}
    </p>
  );
}
