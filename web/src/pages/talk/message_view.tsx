import { useState } from 'preact/hooks';
import { asProblem, type Problem } from '../../api/problem';
import { may, useUser } from '../../session/current';
import { Avatar } from '../../ui/avatar';
import { Button, IconButton } from '../../ui/button';
import { confirm } from '../../ui/confirm';
import { ProblemNote } from '../../ui/problem_note';
import { toast } from '../../ui/toast';
import { useTongue } from '../../words/tongue';
import type { Conversation } from './conversation';
import type { Outbox } from './outbox';
import { withLinks, type Group, type Message, type Pending } from './thread';

interface Props {
  conversation: Conversation;
  /** The id of the message that is being corrected. */
  editing: number | null;
  setEditing: (id: number | null) => void;
}

/** What one person said in one go. */
export function MessageGroup({ group, ...rest }: Props & { group: Group }) {
  const { moment } = useTongue();
  const user = useUser();
  const at = new Date(group.at);
  return (
    <article class="chat-group" data-own={group.user.id === user.id ? '' : undefined}>
      <Avatar name={group.user.name} />
      <header>
        <b>{group.user.name}</b>
        <time class="quiet small number" dateTime={group.at} title={moment(at)}>
          {at.toTimeString().slice(0, 5)}
        </time>
      </header>
      {group.messages.map((message) => (
        <MessageLine key={message.id} message={message} {...rest} />
      ))}
    </article>
  );
}

function MessageLine({ message, conversation, editing, setEditing }: Props & { message: Message }) {
  const { say } = useTongue();
  const user = useUser();
  const isOwn = message.user.id === user.id && may('clerk');
  if (message.deleted) return <p class="chat-text quiet deleted">{say('chat.deleted')}</p>;
  if (editing === message.id) return <Correction message={message} conversation={conversation} close={() => setEditing(null)} />;
  const remove = async () => {
    const isSure = await confirm({ title: say('chat.delete'), text: say('chat.delete.text'), act: say('chat.delete'), isDanger: true });
    if (!isSure) return;
    await conversation.remove(message).catch((error: unknown) => toast(asProblem(error).detail, { isProblem: true }));
  };
  return (
    <div class="chat-line" data-message={message.id}>
      <p class="chat-text">
        <Text text={message.text} />
        {message.editedAt !== null && <span class="quiet small"> ({say('chat.edited')})</span>}
      </p>
      {(isOwn || may('manager')) && (
        <span class="chat-acts">
          {isOwn && <IconButton icon="edit" label={say('chat.edit')} onClick={() => setEditing(message.id)} />}
          <IconButton icon="trash" label={say('chat.delete')} onClick={() => void remove()} />
        </span>
      )}
    </div>
  );
}

function Text({ text }: { text: string }) {
  return (
    <>
      {withLinks(text).map((part, index) =>
        part.href ? (
          <a key={index} href={part.href} target="_blank" rel="noopener noreferrer nofollow">
            {part.text}
          </a>
        ) : (
          <span key={index}>{part.text}</span>
        ),
      )}
    </>
  );
}

function Correction({ message, conversation, close }: { message: Message; conversation: Conversation; close: () => void }) {
  const { say } = useTongue();
  const [text, setText] = useState(message.text);
  const [problem, setProblem] = useState<Problem | null>(null);
  const save = async () => {
    if (!text.trim()) return;
    try {
      if (text !== message.text) await conversation.change(message, text);
      close();
    } catch (error) {
      setProblem(asProblem(error));
    }
  };
  return (
    <form
      class="chat-correction"
      onSubmit={(event) => {
        event.preventDefault();
        void save();
      }}
    >
      {problem && <ProblemNote problem={problem} />}
      <textarea
        aria-label={say('chat.edit')}
        value={text}
        rows={Math.min(8, text.split('\n').length)}
        maxLength={4000}
        ref={(place) => {
          if (place && document.activeElement !== place) place.focus();
        }}
        onInput={(event) => setText(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === 'Escape') close();
          if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) {
            event.preventDefault();
            void save();
          }
        }}
      />
      <span class="chat-correction-acts">
        <Button type="submit" kind="primary">
          {say('chat.save')}
        </Button>
        <Button onClick={close}>{say('chat.cancel')}</Button>
      </span>
    </form>
  );
}

/** What I have said and nobody has confirmed. */
export function PendingMessage({ pending, outbox }: { pending: Pending; outbox: Outbox }) {
  const { say } = useTongue();
  const { key, text, refusal } = pending;
  return (
    <article class="chat-group" data-own data-pending>
      <p class="chat-text">{text}</p>
      {refusal === null ? (
        <p class="quiet small">{say('chat.sending')}</p>
      ) : (
        <p class="small late" role="alert">
          {say('chat.not_sent', { reason: refusal || say('chat.no_answer') })}{' '}
          <Button kind="bare" onClick={() => outbox.retry(key)}>
            {say('chat.again')}
          </Button>
          <Button kind="bare" onClick={() => outbox.discard(key)}>
            {say('chat.discard')}
          </Button>
        </p>
      )}
    </article>
  );
}
