import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { ChannelRow } from '../../api/types';
import { useUser } from '../../session/current';
import { draftOf, keepDraft } from '../../session/drafts';
import { Button } from '../../ui/button';
import { useTongue } from '../../words/tongue';
import type { Conversation } from './conversation';
import { MAX_PENDING } from './outbox';

const MAX_TEXT = 4_000;
/** Where the browser does not fit it to its text by itself; to measure it lays out the whole conversation at each key. */
const isMeasured = !CSS.supports('field-sizing', 'content');

/** Where one writes. What is not sent yet is kept for this channel. */
export function Composer({ conversation, channel, onEditLast }: { conversation: Conversation; channel: ChannelRow; onEditLast: () => void }) {
  const { say } = useTongue();
  const user = useUser();
  const draft = `chat.${channel.id}`;
  const [text, setText] = useState(() => String(draftOf(user.id, draft)?.values['text'] ?? ''));
  const place = useRef<HTMLTextAreaElement>(null);
  useLayoutEffect(() => {
    if (!place.current || !isMeasured) return;
    place.current.style.height = 'auto';
    place.current.style.height = `${place.current.scrollHeight + 2}px`;
  }, [text]);
  const write = (written: string) => {
    setText(written);
    keepDraft(user.id, draft, written ? { values: { text: written }, version: null } : null);
  };
  const send = () => {
    const said = text.trim();
    if (!said) return;
    if (conversation.outbox.say(channel.id, said)) write('');
    place.current?.focus();
  };
  const isFull = conversation.outbox.isFull.value;
  return (
    <form
      class="chat-composer"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <textarea
        ref={place}
        rows={1}
        maxLength={MAX_TEXT}
        aria-label={say('chat.write', { channel: channel.name })}
        placeholder={say('chat.write', { channel: channel.name })}
        title={say('chat.write.hint')}
        value={text}
        onInput={(event) => {
          write(event.currentTarget.value);
          if (event.currentTarget.value) conversation.tellTyping();
        }}
        onKeyDown={(event) => {
          if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) {
            event.preventDefault();
            send();
          } else if (event.key === 'ArrowUp' && text === '') {
            event.preventDefault();
            onEditLast();
          }
        }}
      />
      <p class="chat-full" role="status">
        {isFull && say('chat.full', { count: MAX_PENDING })}
      </p>
      <Button type="submit" kind="primary">
        {say('chat.send')}
      </Button>
    </form>
  );
}
