import { useEffect, useRef, useState } from 'preact/hooks';
import { connection } from '../live/current';
import { useAnswer } from '../live/use_answer';
import { Banner } from '../ui/banner';
import '../words/announcements';
import { useTongue } from '../words/tongue';

interface Notice {
  enabled: boolean;
  message: string;
  until: string | null;
}

const OVER_MS = 5_000;

/** While nothing can be changed: why, and for how long yet. Shown to everybody at once. */
export function MaintenanceBanner() {
  const { say, time, duration } = useTongue();
  const { body } = useAnswer('/api/system/maintenance');
  const [heard, setHeard] = useState<Notice | null>(null);
  const [isOver, setOver] = useState(false);
  const [now, setNow] = useState(() => Date.now());
  const wasOn = useRef(false);
  useEffect(() => {
    const { socket } = connection;
    socket.on('system:maintenance', setHeard);
    return () => void socket.off('system:maintenance', setHeard);
  }, []);
  // The answer is newer than what was heard before it.
  useEffect(() => setHeard(null), [body]);
  const notice: Notice | null = heard ?? body?.data ?? null;
  const isOn = notice?.enabled ?? false;
  useEffect(() => {
    if (isOn) {
      wasOn.current = true;
      setNow(Date.now());
      const tick = setInterval(() => setNow(Date.now()), 10_000);
      return () => clearInterval(tick);
    }
    if (!wasOn.current) return;
    wasOn.current = false;
    setOver(true);
    const wait = setTimeout(() => setOver(false), OVER_MS);
    return () => clearTimeout(wait);
  }, [isOn]);
  if (!notice?.enabled) return isOver ? <Banner tone="good">{say('maintenance.over')}</Banner> : null;
  const until = notice.until === null ? null : new Date(notice.until);
  const leftMs = until === null ? 0 : until.getTime() - now;
  return (
    <Banner tone="warn">
      <b>{say('maintenance.on')}</b> {notice.message}{' '}
      {until !== null && (leftMs > 0 ? say('maintenance.until', { time: time(until), left: duration(Math.max(60_000, leftMs)) }) : say('maintenance.soon'))}
    </Banner>
  );
}
