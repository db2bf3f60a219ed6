import { asProblem } from '../../api/problem';
import type { ChannelRow } from '../../api/types';
import { go } from '../../app/router';
import { api } from '../../session/current';
import { confirm } from '../../ui/confirm';
import { titleOf } from '../../ui/problem_note';
import { toast } from '../../ui/toast';
import { tongue } from '../../words/tongue';

/**
 * Leave a private channel, if the visitor agrees that he means it.
 *
 * Its page is left first: what it shows is his no more at the commit, and would be asked for in vain. If the server
 * refuses, the visitor is back on it and told why: whatever called this is gone by then.
 */
export async function leaveChannel(channel: ChannelRow, userId: number): Promise<void> {
  const { say } = tongue.peek();
  const isAgreed = await confirm({ title: say('chat.leave'), text: say('chat.leave.text'), act: say('chat.leave'), isDanger: true });
  if (!isAgreed) return;
  go('/chat');
  try {
    await api.delete('/api/chat/channels/{channel_id}/members/{user_id}', { path: { channel_id: channel.id, user_id: userId } });
  } catch (error) {
    const problem = asProblem(error);
    go(`/chat/${encodeURIComponent(channel.id)}`, { replace: true });
    toast(`${say(titleOf(problem))}. ${problem.detail}`, { isProblem: true });
  }
}
