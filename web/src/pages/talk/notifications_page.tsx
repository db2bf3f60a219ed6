import { useState } from 'preact/hooks';
import { asProblem } from '../../api/problem';
import type { NotificationRow } from '../../api/types';
import { useQuery } from '../../app/router';
import { useListing } from '../../live/use_answer';
import { api, may } from '../../session/current';
import { Button, IconButton } from '../../ui/button';
import { confirm } from '../../ui/confirm';
import { Empty } from '../../ui/empty';
import { NoticeLine } from '../../ui/notice_line';
import { PageHeader } from '../../ui/page_header';
import { ProblemNote } from '../../ui/problem_note';
import { Skeleton } from '../../ui/skeleton';
import { toast } from '../../ui/toast';
import '../../words/announcements';
import '../../words/notifications';
import { useTongue } from '../../words/tongue';
import { NoticeDialog } from './notice_dialog';

export default function NotificationsPage() {
  const { say } = useTongue();
  const [query, setQuery] = useQuery();
  const [isWriting, setWriting] = useState(false);
  const onlyUnread = query.get('unread') === 'true';
  const list = useListing('/api/notifications', { query: { unread: onlyUnread } });
  const attempt = async (act: () => Promise<unknown>) => {
    try {
      await act();
      list.refresh();
    } catch (error) {
      const problem = asProblem(error);
      toast(problem.detail || problem.title, { isProblem: true });
    }
  };
  const takeBack = async (notice: NotificationRow) => {
    const question = { title: say('notices.take_back'), text: say('notices.take_back.text'), act: say('notices.take_back') };
    if (!(await confirm({ ...question, isDanger: true }))) return;
    await attempt(() => api.delete('/api/notifications/{notification_id}', { path: { notification_id: notice.id } }));
  };
  return (
    <div class="page narrow">
      <PageHeader
        title={say('nav.notifications')}
        actions={
          <>
            <Button icon="check" onClick={() => void attempt(() => api.post('/api/notifications/read-all'))}>
              {say('bell.read_all')}
            </Button>
            {may('manager') && (
              <Button kind="primary" icon="plus" onClick={() => setWriting(true)}>
                {say('notices.write')}
              </Button>
            )}
          </>
        }
      />
      <div class="segments" role="group" aria-label={say('notices.filter')}>
        {[false, true].map((unread) => (
          <button type="button" key={String(unread)} aria-pressed={onlyUnread === unread} onClick={() => setQuery({ unread: unread ? 'true' : null })}>
            {say(unread ? 'notices.unread' : 'notices.all')}
          </button>
        ))}
      </div>
      {list.problem && <ProblemNote problem={list.problem} retry={list.refresh} />}
      {list.phase === 'loading' && <Skeleton lines={8} />}
      {list.phase === 'ready' && list.rows.length === 0 && (
        <Empty icon="bell" text={say(onlyUnread ? 'notices.empty.unread' : 'notices.empty')} />
      )}
      {list.rows.length > 0 && (
        <ul class="notices card">
          {list.rows.map((notice) => (
            <li key={notice.id}>
              <NoticeLine notice={notice} onOpen={() => list.refresh()} />
              {may('admin') && <IconButton icon="trash" label={say('notices.take_back')} onClick={() => void takeBack(notice)} />}
            </li>
          ))}
        </ul>
      )}
      {list.more && (
        <Button busy={list.isLoadingMore} onClick={list.more}>
          {say('table.more')}
        </Button>
      )}
      {isWriting && <NoticeDialog onClose={() => setWriting(false)} />}
    </div>
  );
}
