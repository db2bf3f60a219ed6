import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { ChannelRow } from '../../api/types';
import { connection } from '../../live/current';
import { useAnswer } from '../../live/use_answer';
import { may, useUser } from '../../session/current';
import { AnswerView } from '../../ui/answer_view';
import { Badge } from '../../ui/badge';
import { Button } from '../../ui/button';
import { ProblemNote } from '../../ui/problem_note';
import { Skeleton } from '../../ui/skeleton';
import { useTongue } from '../../words/tongue';
import { ChannelMenu } from './channel_menu';
import { Composer } from './composer';
import { Conversation } from './conversation';
import { outboxOf } from './current';
import { MembersButton } from './members_dialog';
import { MessageGroup, PendingMessage } from './message_view';
import { byDay, type Message } from './thread';

const AT_END_PX = 48;

export function ChannelView({ id }: { id: string }) {
  const answer = useAnswer('/api/chat/channels/{channel_id}', { path: { channel_id: id } });
  return (
    <section class="chat-channel">
      <AnswerView answer={answer}>{({ data }) => <Thread channel={data} />}</AnswerView>
    </section>
  );
}

function Thread({ channel }: { channel: ChannelRow }) {
  const { say, list } = useTongue();
  const user = useUser();
  const [editing, setEditing] = useState<number | null>(null);
  const conversation = useMemo(
    () => new Conversation(connection, outboxOf(user.id), channel.id, channel.room, user.id),
    [channel.id, channel.room, user.id],
  );
  useEffect(() => {
    conversation.open();
    return () => conversation.close();
  }, [conversation]);
  const messages = conversation.messages.value;
  const typing = [...conversation.typing.value.values()];
  const here = conversation.here.value;
  const mayWrite = may('clerk') && channel.archivedAt === null;
  const editLast = () => {
    const own = messages.findLast((message) => message.user.id === user.id && !message.deleted);
    if (own) setEditing(own.id);
  };
  return (
    <>
      <header class="chat-head">
        <a class="back small chat-back" href="/chat">
          <span aria-hidden="true">←</span> {say('chat.all_channels')}
        </a>
        <h2>{channel.name}</h2>
        {channel.isPrivate && <Badge>{say('chat.private')}</Badge>}
        {here !== null && <Badge tone="active">{say('chat.here', { count: here.size })}</Badge>}
        <p class="quiet small">{channel.topic}</p>
        {channel.isPrivate && <MembersButton channel={channel} />}
        <ChannelMenu channel={channel} />
      </header>
      {conversation.problem.value && <ProblemNote problem={conversation.problem.value} retry={() => conversation.refresh()} />}
      <Scroll conversation={conversation} channel={channel} messages={messages} editing={editing} setEditing={setEditing} />
      <p class="chat-typing quiet small" aria-live="off">
        {typing.length > 0 && say('chat.types', { names: list(typing), count: typing.length })}
      </p>
      {mayWrite ? (
        <Composer conversation={conversation} channel={channel} onEditLast={editLast} />
      ) : (
        <p class="note">{say(channel.archivedAt === null ? 'chat.auditor' : 'chat.read_only')}</p>
      )}
    </>
  );
}

interface ScrollProps {
  conversation: Conversation;
  channel: ChannelRow;
  messages: readonly Message[];
  editing: number | null;
  setEditing: (id: number | null) => void;
}

/** The messages. It stays at the end while one is there, and where one reads otherwise. */
function Scroll({ conversation, channel, messages, editing, setEditing }: ScrollProps) {
  const { say, day } = useTongue();
  const user = useUser();
  const box = useRef<HTMLDivElement>(null);
  const isAtEnd = useRef(true);
  const seen = useRef({ first: 0, last: 0, height: 0 });
  const [below, setBelow] = useState(0);
  const pending = conversation.pending.value;
  const first = messages[0]?.id ?? 0;
  const last = messages.at(-1)?.id ?? 0;

  useLayoutEffect(() => {
    const place = box.current;
    if (!place) return;
    const before = seen.current;
    if (isAtEnd.current) place.scrollTop = place.scrollHeight;
    else if (first < before.first) place.scrollTop += place.scrollHeight - before.height; // older ones came in above
    if (last > before.last && before.last > 0 && !isAtEnd.current) {
      const news = messages.filter((message) => message.id > before.last && message.user.id !== user.id).length;
      setBelow((count) => count + news);
    }
    seen.current = { first, last, height: place.scrollHeight };
  });
  const read = () => {
    if (isAtEnd.current && document.visibilityState === 'visible' && may('clerk')) conversation.markRead();
  };
  useEffect(() => {
    read();
    document.addEventListener('visibilitychange', read);
    return () => document.removeEventListener('visibilitychange', read);
  }, [last]);
  const onScroll = () => {
    const place = box.current;
    if (!place) return;
    isAtEnd.current = place.scrollHeight - place.scrollTop - place.clientHeight < AT_END_PX;
    if (isAtEnd.current) {
      setBelow(0);
      read();
    }
    if (place.scrollTop < place.clientHeight / 2) void conversation.older();
  };
  const toEnd = () => {
    isAtEnd.current = true;
    setBelow(0);
    box.current?.scrollTo({ top: box.current.scrollHeight });
  };
  return (
    <div class="chat-scroll" ref={box} onScroll={onScroll} role="log" aria-label={say('chat.messages', { channel: channel.name })} tabIndex={0}>
      {conversation.phase.value === 'loading' && <Skeleton lines={8} />}
      {conversation.phase.value === 'ready' && (
        <div class="chat-top">
          {conversation.hasOlder.value ? (
            <Button kind="bare" busy={conversation.isLoadingOlder.value} onClick={() => void conversation.older()}>
              {say('chat.older')}
            </Button>
          ) : (
            <p class="quiet small">{say(messages.length > 0 ? 'chat.beginning' : 'chat.empty')}</p>
          )}
        </div>
      )}
      {byDay(messages).map(({ day: date, groups }) => (
        <section key={date} aria-label={day(date)}>
          <h3 class="chat-day small">
            <time dateTime={date}>{day(date)}</time>
          </h3>
          {groups.map((group) => (
            <MessageGroup key={group.id} group={group} conversation={conversation} editing={editing} setEditing={setEditing} />
          ))}
        </section>
      ))}
      {pending.map((each) => (
        <PendingMessage key={each.key} pending={each} outbox={conversation.outbox} />
      ))}
      {below > 0 && (
        <span class="chat-below">
          <Button kind="primary" icon="down" onClick={toEnd}>
            {say('chat.new_below', { count: below })}
          </Button>
        </span>
      )}
    </div>
  );
}
