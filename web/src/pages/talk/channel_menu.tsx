import { useState } from 'preact/hooks';
import { asProblem } from '../../api/problem';
import type { ChannelRow } from '../../api/types';
import { api, may, useUser } from '../../session/current';
import { confirm } from '../../ui/confirm';
import { Icon } from '../../ui/icon';
import { Menu } from '../../ui/menu';
import { toast } from '../../ui/toast';
import { useTongue } from '../../words/tongue';
import { ChannelDialog } from './channel_dialog';
import { leaveChannel } from './leave_channel';

const GENERAL = 'general';

/** What can be done with a channel: change, archive, leave. */
export function ChannelMenu({ channel }: { channel: ChannelRow }) {
  const { say } = useTongue();
  const user = useUser();
  const [isChanging, setChanging] = useState(false);
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
  const acts = [
    mayChange && { title: say('chat.change'), icon: 'edit', run: () => setChanging(true) },
    mayChange && channel.id !== GENERAL && { title: say('chat.archive'), icon: 'batch', run: archive },
    channel.isPrivate && may('clerk') && { title: say('chat.leave'), icon: 'leave_session', run: () => leaveChannel(channel, user.id) },
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
      {isChanging && <ChannelDialog channel={channel} onClose={() => setChanging(false)} />}
    </>
  );
}
