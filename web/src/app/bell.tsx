/** How much there is to read, and the newest of it. */

import { useEffect } from 'preact/hooks';
import type { NotificationRow } from '../api/types';
import { answers, connection } from '../live/current';
import { addressOf, useAnswer } from '../live/use_answer';
import { api } from '../session/current';
import { Button } from '../ui/button';
import { Icon } from '../ui/icon';
import { Menu } from '../ui/menu';
import { NoticeLine } from '../ui/notice_line';
import { toast } from '../ui/toast';
import '../words/announcements';
import { useTongue } from '../words/tongue';

const SHOWN = { query: { limit: 8 } } as const;

export function Bell() {
  const { say, count } = useTongue();
  const { body, refresh } = useAnswer('/api/notifications', SHOWN);
  const unread = body?.unreadCount ?? 0;
  useEffect(() => {
    const { socket } = connection;
    const heard = ({ title, level }: { title: string; level: string }) => {
      toast(title, { isProblem: level === 'error' });
      // Private answers are asked for when somebody looks; here somebody always does.
      answers.refresh(addressOf('/api/notifications', SHOWN));
    };
    socket.on('system:notification', heard);
    return () => void socket.off('system:notification', heard);
  }, []);
  const readAll = async () => {
    await api.post('/api/notifications/read-all').catch(() => undefined);
    refresh();
  };
  return (
    <Menu
      class="bell"
      label={unread > 0 ? say('bell.unread', { count: unread }) : say('bell.label')}
      face={
        <>
          <Icon name="bell" />
          {unread > 0 && <span class="bell-count number">{unread > 99 ? '99+' : count(unread)}</span>}
        </>
      }
    >
      {(close) => (
        <>
          <header class="bell-head">
            <b>{say('bell.label')}</b>
            {unread > 0 && (
              <Button kind="bare" onClick={() => void readAll()}>
                {say('bell.read_all')}
              </Button>
            )}
          </header>
          {body?.data.length ? (
            <ul class="notices">
              {body.data.map((notice: NotificationRow) => (
                <li key={notice.id}>
                  <NoticeLine notice={notice} onOpen={close} />
                </li>
              ))}
            </ul>
          ) : (
            <p class="quiet bell-nothing">{say('bell.nothing')}</p>
          )}
          <a class="menu-item" href="/notifications" onClick={close}>
            {say('bell.all')}
          </a>
        </>
      )}
    </Menu>
  );
}
