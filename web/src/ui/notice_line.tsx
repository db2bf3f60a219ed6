import type { NotificationRow } from '../api/types';
import { api } from '../session/current';
import { useTongue } from '../words/tongue';
import { Badge } from './badge';

const TONES = { info: 'active', success: 'good', warning: 'warn', error: 'late' } as const;

/** One notification. Opening it marks it as read and leads to what it is about. */
export function NoticeLine({ notice, onOpen }: { notice: NotificationRow; onOpen?: () => void }) {
  const { say, moment } = useTongue();
  const at = new Date(notice.at);
  const read = () => {
    if (notice.unread) void api.post('/api/notifications/{notification_id}/read', { path: { notification_id: notice.id } }).catch(() => undefined);
    onOpen?.();
  };
  const inside = (
    <>
      <span class="notice-head">
        <Badge tone={TONES[notice.level]}>{say(`notice.level.${notice.level}`)}</Badge>
        <b>{notice.title}</b>
        {notice.unread && <span class="unseen">{say('notice.unread')}</span>}
      </span>
      <span class="notice-text">{notice.message}</span>
      <time class="quiet small" dateTime={notice.at}>
        {moment(at)}
      </time>
    </>
  );
  const attributes = { class: 'notice', 'data-unread': notice.unread ? '' : undefined };
  return notice.link ? (
    <a {...attributes} href={notice.link} onClick={read}>
      {inside}
    </a>
  ) : (
    <button {...attributes} type="button" onClick={read}>
      {inside}
    </button>
  );
}
