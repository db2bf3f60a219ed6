import { useQuery } from '../../app/router';
import { Button } from '../../ui/button';
import { oneOf } from '../../ui/one_of';
import { useTongue } from '../../words/tongue';
import { isPaused } from './ticking';

export const WINDOWS = ['5m', '15m', '1h', '6h', '24h'] as const;
export type Window = (typeof WINDOWS)[number];

/** Of how long ago until now; in the query string. */
export function useWindow(otherwise: Window = '1h'): Window {
  const [query] = useQuery();
  return oneOf(WINDOWS, query.get('window') ?? undefined, otherwise);
}

export function WindowPicker({ otherwise = '1h' }: { otherwise?: Window }) {
  const { say } = useTongue();
  const [, setQuery] = useQuery();
  const chosen = useWindow(otherwise);
  return (
    <div class="segments" role="group" aria-label={say('insight.window')}>
      {WINDOWS.map((one) => (
        <button type="button" key={one} aria-pressed={one === chosen} onClick={() => setQuery({ window: one === otherwise ? null : one })}>
          {say(`insight.window.${one}`)}
        </button>
      ))}
    </div>
  );
}

/** Hold all figures still, to read them. */
export function PauseButton() {
  const { say } = useTongue();
  return (
    <Button icon={isPaused.value ? 'play' : 'stop'} aria-pressed={isPaused.value} onClick={() => (isPaused.value = !isPaused.value)}>
      {say(isPaused.value ? 'insight.resume' : 'insight.pause')}
    </Button>
  );
}
