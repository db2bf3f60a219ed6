import { useEffect, useRef, useState } from 'preact/hooks';
import { connection } from '../live/current';
import { Banner } from '../ui/banner';
import { Button } from '../ui/button';
import { useTongue } from '../words/tongue';

/** A short loss is nobody's business. */
const PATIENCE_MS = 600;
const CAUGHT_UP_MS = 4_000;

/** While the connection is lost: from when what is seen stands. After that, for a moment, that all is well again. */
export function ConnectionBanner() {
  const { say, time } = useTongue();
  const live = connection.state.value;
  const isLost = live === 'reconnecting' || live === 'offline';
  const [shown, setShown] = useState<'nothing' | 'lost' | 'caught-up'>('nothing');
  const shownNow = useRef(shown);
  shownNow.current = shown;
  useEffect(() => {
    if (isLost) {
      const wait = setTimeout(() => setShown('lost'), PATIENCE_MS);
      return () => clearTimeout(wait);
    }
    if (live !== 'live' || shownNow.current !== 'lost') return;
    setShown('caught-up');
    const wait = setTimeout(() => setShown('nothing'), CAUGHT_UP_MS);
    return () => clearTimeout(wait);
  }, [live, isLost]);
  const asOf = connection.asOf.value;
  if (shown === 'lost') {
    return (
      <Banner tone="late" action={<Button onClick={() => connection.retry()}>{say('banner.retry')}</Button>}>
        {asOf ? say('banner.reconnecting', { time: time(asOf) }) : say('problem.network.detail')}
      </Banner>
    );
  }
  return shown === 'caught-up' ? <Banner tone="good">{say('banner.caught_up')}</Banner> : null;
}
