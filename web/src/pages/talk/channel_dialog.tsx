import type { ChannelRow } from '../../api/types';
import { go } from '../../app/router';
import { api } from '../../session/current';
import { Dialog } from '../../ui/dialog';
import { CheckField, TextField } from '../../ui/field';
import { Form } from '../../ui/form';
import { useForm } from '../../ui/use_form';
import { useTongue } from '../../words/tongue';

/** A new channel, or another name or topic for `channel`. */
export function ChannelDialog({ channel, onClose }: { channel?: ChannelRow; onClose: () => void }) {
  const { say } = useTongue();
  const form = useForm({
    name: `channel.${channel?.id ?? 'new'}`,
    initial: { name: channel?.name ?? '', topic: channel?.topic ?? '', isPrivate: channel?.isPrivate ?? false },
    version: channel?.version ?? 0,
    save: async (values, { changed, version }) => {
      if (channel) {
        const { isPrivate: _, ...rest } = changed;
        await api.patch('/api/chat/channels/{channel_id}', { path: { channel_id: channel.id }, body: { version, ...rest } });
      } else {
        const { data } = await api.post('/api/chat/channels', { body: values });
        go(`/chat/${encodeURIComponent(data.id)}`);
      }
      onClose();
    },
    fromCurrent: (current) => {
      const { name, topic, isPrivate, version } = current as ChannelRow;
      return { values: { name, topic, isPrivate }, version };
    },
  });
  const labels = { name: say('chat.name'), topic: say('chat.topic'), isPrivate: say('chat.is_private') };
  return (
    <Dialog title={say(channel ? 'chat.change' : 'chat.new')} onClose={onClose}>
      <Form form={form} labels={labels} act={say(channel ? 'chat.change' : 'chat.create')} onCancel={onClose}>
        <TextField form={form} name="name" label={labels.name} required maxLength={80} wide autofocus />
        <TextField form={form} name="topic" label={labels.topic} maxLength={250} wide />
        {!channel && <CheckField form={form} name="isPrivate" label={labels.isPrivate} />}
      </Form>
    </Dialog>
  );
}
