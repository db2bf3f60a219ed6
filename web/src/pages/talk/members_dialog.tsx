import { useState } from 'preact/hooks';
import { asProblem, type Problem } from '../../api/problem';
import type { ChannelRow, MemberView } from '../../api/types';
import { useListing } from '../../live/use_answer';
import { api, may, useUser } from '../../session/current';
import { Avatar } from '../../ui/avatar';
import { Badge } from '../../ui/badge';
import { Button, IconButton } from '../../ui/button';
import { Combobox, type Choice } from '../../ui/combobox';
import { confirm } from '../../ui/confirm';
import { Dialog } from '../../ui/dialog';
import { ProblemNote } from '../../ui/problem_note';
import { Skeleton } from '../../ui/skeleton';
import { useTongue } from '../../words/tongue';
import { leaveChannel } from './leave_channel';

const FEW = 8;

/** Who is in a private channel; its owner and managers let others in and take them out. */
export function MembersButton({ channel }: { channel: ChannelRow }) {
  const { say } = useTongue();
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <Button icon="employees" onClick={() => setOpen(true)}>
        {say('chat.members')}
      </Button>
      {isOpen && <MembersDialog channel={channel} onClose={() => setOpen(false)} />}
    </>
  );
}

/** Whether the visitor says who is in `channel`. */
function useIsHost(channel: ChannelRow): boolean {
  const user = useUser();
  return may('manager') || (may('clerk') && channel.ownerId === user.id);
}

function MembersDialog({ channel, onClose }: { channel: ChannelRow; onClose: () => void }) {
  const { say } = useTongue();
  const user = useUser();
  const isHost = useIsHost(channel);
  const list = useListing('/api/chat/channels/{channel_id}/members', { path: { channel_id: channel.id }, query: { limit: 200 } });
  const [problem, setProblem] = useState<Problem | null>(null);
  const [told, setTold] = useState('');
  const attempt = async (act: () => Promise<string | void>) => {
    setProblem(null);
    setTold('');
    try {
      setTold((await act()) ?? '');
    } catch (error) {
      setProblem(asProblem(error));
    }
  };
  const takeOut = async ({ userId, name }: MemberView) => {
    const isAgreed = await confirm({
      title: say('chat.members.take_out', { name }),
      text: say('chat.members.take_out.text', { name }),
      act: say('chat.members.take_out.act'),
      isDanger: true,
    });
    if (!isAgreed) return;
    await attempt(async () => {
      await api.delete('/api/chat/channels/{channel_id}/members/{user_id}', { path: { channel_id: channel.id, user_id: userId } });
      return say('chat.members.taken_out', { name });
    });
  };
  const letIn = (person: Choice<number>) =>
    attempt(async () => {
      await api.put('/api/chat/channels/{channel_id}/members/{user_id}', { path: { channel_id: channel.id, user_id: person.id } });
      return say('chat.members.let_in.done', { name: person.title });
    });
  const isAlone = list.phase === 'ready' && list.rows.every((member) => member.userId === user.id);
  return (
    <Dialog title={say('chat.members.of', { channel: channel.name })} onClose={onClose}>
      {isHost && <LetIn members={list.rows} letIn={letIn} />}
      {problem && <ProblemNote problem={problem} />}
      <p class="quiet small" role="status">
        {told || (isAlone ? say(isHost ? 'chat.members.alone' : 'chat.members.alone.guest') : '')}
      </p>
      {list.problem && <ProblemNote problem={list.problem} retry={list.refresh} />}
      {list.phase === 'loading' && <Skeleton lines={3} />}
      <ul class="chat-members" aria-label={say('chat.members')}>
        {list.rows.map((member) => (
          <Member
            key={member.userId}
            member={member}
            isOwner={member.userId === channel.ownerId}
            takeOut={isHost && member.userId !== user.id ? () => void takeOut(member) : null}
            leave={may('clerk') && member.userId === user.id ? () => void leaveChannel(channel, user.id) : null}
          />
        ))}
      </ul>
      {list.more && <Button onClick={list.more}>{say('table.more')}</Button>}
    </Dialog>
  );
}

interface MemberProps {
  member: MemberView;
  isOwner: boolean;
  /** Null: the visitor may not. */
  takeOut: (() => void) | null;
  /** Null: it is somebody else. */
  leave: (() => void) | null;
}

function Member({ member, isOwner, takeOut, leave }: MemberProps) {
  const { say, moment } = useTongue();
  return (
    <li>
      <Avatar name={member.name} />
      <span class="chat-member">
        <span>
          {member.name} {leave && <span class="quiet">({say('chat.members.self')})</span>}
        </span>
        <time class="quiet small" dateTime={member.addedAt}>
          {say('chat.members.since', { moment: moment(new Date(member.addedAt)) })}
        </time>
      </span>
      {isOwner && <Badge>{say('chat.members.owner')}</Badge>}
      {takeOut && <IconButton icon="close" label={say('chat.members.take_out', { name: member.name })} onClick={takeOut} />}
      {leave && <IconButton icon="leave_session" label={say('chat.leave')} onClick={leave} />}
    </li>
  );
}

function LetIn({ members, letIn }: { members: readonly MemberView[]; letIn: (person: Choice<number>) => Promise<void> }) {
  const { say } = useTongue();
  const [chosen, setChosen] = useState<Choice<number> | null>(null);
  const [isBusy, setBusy] = useState(false);
  const submit = async (event: Event) => {
    event.preventDefault();
    if (!chosen || isBusy) return;
    setBusy(true);
    await letIn(chosen);
    setBusy(false);
    setChosen(null);
  };
  const search = async (q: string, signal: AbortSignal): Promise<readonly Choice<number>[]> => {
    const { data } = await api.get('/api/chat/people', { query: { q, limit: FEW }, signal });
    const inside = new Set(members.map((member) => member.userId));
    return data.map(({ id, name }) => ({ id, title: name, ...(inside.has(id) ? { note: say('chat.members.inside') } : {}) }));
  };
  return (
    <form class="chat-let-in" onSubmit={(event) => void submit(event)}>
      <Combobox<number> label={say('chat.members.who')} value={chosen} choose={setChosen} search={search} />
      <Button type="submit" kind="primary" icon="plus" busy={isBusy || chosen === null}>
        {say('chat.members.let_in')}
      </Button>
    </form>
  );
}
