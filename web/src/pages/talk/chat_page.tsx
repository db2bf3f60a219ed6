import { useState } from 'preact/hooks';
import type { ChannelRow } from '../../api/types';
import type { PageProps } from '../../app/pages';
import { useQuery } from '../../app/router';
import { useListing } from '../../live/use_answer';
import { may } from '../../session/current';
import { Badge } from '../../ui/badge';
import { Button } from '../../ui/button';
import { Empty } from '../../ui/empty';
import { PageHeader } from '../../ui/page_header';
import { ProblemNote } from '../../ui/problem_note';
import { Skeleton } from '../../ui/skeleton';
import '../../words/chat';
import { useTongue } from '../../words/tongue';
import { ChannelDialog } from './channel_dialog';
import { ChannelView } from './channel_view';
import './talk.css';

const GENERAL = 'general';

export default function ChatPage({ params }: PageProps) {
  const { say, count } = useTongue();
  const [query, setQuery] = useQuery();
  const isArchived = query.get('archived') === 'true';
  const list = useListing('/api/chat/channels', { query: { archived: isArchived, limit: 200 } });
  // By name, but for the one that is everybody's.
  const rows = [...list.rows].sort((one, other) => Number(other.id === GENERAL) - Number(one.id === GENERAL));
  const [isOpening, setOpening] = useState(false);
  const isChosen = params['channel'] !== undefined;
  const channel = params['channel'] ?? GENERAL;
  return (
    <div class="page chat" data-chosen={isChosen ? '' : undefined}>
      <aside class="chat-channels" aria-label={say('chat.channels')}>
        <PageHeader title={say('nav.chat')} />
        <div class="chat-tools">
          <div class="segments">
            {[false, true].map((archived) => (
              <button
                type="button"
                key={String(archived)}
                aria-pressed={isArchived === archived}
                onClick={() => setQuery({ archived: archived ? 'true' : null })}
              >
                {say(archived ? 'chat.archived' : 'chat.open_ones')}
              </button>
            ))}
          </div>
          {may('clerk') && (
            <Button icon="plus" onClick={() => setOpening(true)}>
              {say('chat.new')}
            </Button>
          )}
        </div>
        {list.problem && list.rows.length === 0 && <ProblemNote problem={list.problem} retry={list.refresh} />}
        {list.phase === 'loading' && <Skeleton lines={4} />}
        {list.phase === 'ready' && list.rows.length === 0 && <Empty icon="chat" text={say('chat.no_channels')} />}
        <ul>
          {rows.map((row: ChannelRow) => (
            <li key={row.id}>
              <a
                href={`/chat/${encodeURIComponent(row.id)}${isArchived ? '?archived=true' : ''}`}
                aria-current={row.id === channel ? 'page' : undefined}
                data-unread={row.unread > 0 ? '' : undefined}
              >
                <span class="chat-channel-name">
                  {row.name}
                  {row.isPrivate && <Badge>{say('chat.private')}</Badge>}
                </span>
                {row.unread > 0 && (
                  <span class="bell-count number" title={say('chat.unread', { count: row.unread })}>
                    {row.unread > 99 ? '99+' : count(row.unread)}
                    <span class="unseen"> {say('chat.unread', { count: '' })}</span>
                  </span>
                )}
                {row.lastMessage && (
                  <span class="quiet small chat-last">
                    {row.lastMessage.deleted ? say('chat.deleted') : `${row.lastMessage.user.name}: ${row.lastMessage.text}`}
                  </span>
                )}
              </a>
            </li>
          ))}
        </ul>
        {list.more && <Button onClick={list.more}>{say('table.more')}</Button>}
      </aside>
      <ChannelView key={channel} id={channel} />
      {isOpening && <ChannelDialog onClose={() => setOpening(false)} />}
    </div>
  );
}
