import type { ChannelRow } from '../../api/types';
import { go } from '../../app/router';
import { api } from '../../session/current';
import { confirm } from '../../ui/confirm';
import { tongue } from '../../words/tongue';

/**
 * Leave a private channel, if the visitor agrees that he means it. Raises `Problem`.
 *
 * Its page is left first: what it shows is his no more at the commit, and would be asked for in vain.
 */
export async function leaveChannel(channel: ChannelRow, userId: number): Promise<void> {
  const { say } = tongue.peek();
  const isAgreed = await confirm({ title: say('chat.leave'), text: say('chat.leave.text'), act: say('chat.leave'), isDanger: true });
  if (!isAgreed) return;
  go('/chat');
  await api.delete('/api/chat/channels/{channel_id}/members/{user_id}', { path: { channel_id: channel.id, user_id: userId } });
}
