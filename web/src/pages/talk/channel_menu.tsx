import { useState } from 'preact/hooks';
import { asProblem } from '../../api/problem';
import type { ChannelRow } from '../../api/types';
import { go } from '../../app/router';
import { useListing } from '../../live/use_answer';
import { api, may, useUser } from '../../session/current';
import { confirm } from '../../ui/confirm';
import { Dialog } from '../../ui/dialog';
import { Icon } from '../../ui/icon';
import { Menu } from '../../ui/menu';
import { ProblemNote } from '../../ui/problem_note';
import { toast } from '../../ui/toast';
import { useTongue } from '../../words/tongue';
import { ChannelDialog } from './channel_dialog';

const GENERAL = 'general';

/** What can be done with a channel: change, archive, leave, see who is in it. */
export function ChannelMenu({ channel }: { channel: ChannelRow }) {
  const { say } = useTongue();
  const user = useUser();
  const [shown, setShown] = useState<'change' | 'members' | null>(null);
  const mayChange = channel.archivedAt === null && (may('manager') || (may('clerk') && channel.ownerId === user.id));
  const attempt = async (act: () => Promise<unknown>) => {
    try {
      await act();
    } catch (error) {
      const problem = asProblem(error);
      toast(problem.detail || problem.title, { isProblem: true });
    }
  };
  const archive = () =>
    attempt(async () => {
      if (!(await confirm({ title: say('chat.archive'), text: say('chat.archive.text'), act: say('chat.archive'), isDanger: true }))) return;
      await api.post('/api/chat/channels/{channel_id}/archive', { path: { channel_id: channel.id }, body: { version: channel.version } });
    });
  const leave = () =>
    attempt(async () => {
      if (!(await confirm({ title: say('chat.leave'), text: say('chat.leave.text'), act: say('chat.leave'), isDanger: true }))) return;
      const path = { channel_id: channel.id, user_id: user.id };
      await api.delete('/api/chat/channels/{channel_id}/members/{user_id}', { path });
      go('/chat');
    });
  const acts = [
    mayChange && { title: say('chat.change'), icon: 'edit', run: () => setShown('change') },
    mayChange && channel.id !== GENERAL && { title: say('chat.archive'), icon: 'batch', run: archive },
    channel.isPrivate && { title: say('chat.members'), icon: 'employees', run: () => setShown('members') },
    channel.isPrivate && may('clerk') && { title: say('chat.leave'), icon: 'leave_session', run: leave },
  ].filter((act) => act !== false) as { title: string; icon: 'edit'; run: () => void }[];
  if (acts.length === 0) return null;
  return (
    <>
      <Menu label={channel.name} face={<Icon name="more" />} class="chat-menu">
        {(close) =>
          acts.map(({ title, icon, run }) => (
            <button
              type="button"
              class="menu-item"
              key={title}
              onClick={() => {
                close();
                run();
              }}
            >
              <Icon name={icon} />
              {title}
            </button>
          ))
        }
      </Menu>
      {shown === 'change' && <ChannelDialog channel={channel} onClose={() => setShown(null)} />}
      {shown === 'members' && <Members channel={channel} onClose={() => setShown(null)} />}
    </>
  );
}

function Members({ channel, onClose }: { channel: ChannelRow; onClose: () => void }) {
  const { say, moment } = useTongue();
  const list = useListing('/api/chat/channels/{channel_id}/members', { path: { channel_id: channel.id }, query: { limit: 200 } });
  return (
    <Dialog title={say('chat.members')} onClose={onClose}>
      {list.problem && <ProblemNote problem={list.problem} retry={list.refresh} />}
      <ul class="chat-members">
        {list.rows.map((member) => (
          <li key={member.userId}>
            {member.name} <time class="quiet small">{moment(new Date(member.addedAt))}</time>
          </li>
        ))}
      </ul>
    </Dialog>
  );
}
