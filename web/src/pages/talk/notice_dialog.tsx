import type { Role } from '../../api/types';
import { api, may } from '../../session/current';
import { Dialog } from '../../ui/dialog';
import { SelectField, TextField } from '../../ui/field';
import { Form } from '../../ui/form';
import { toast } from '../../ui/toast';
import { useForm } from '../../ui/use_form';
import { useTongue } from '../../words/tongue';

const ROLES: readonly Role[] = ['clerk', 'manager', 'auditor', 'admin'];
const LEVELS = ['info', 'success', 'warning', 'error'] as const;
const EVERYBODY = 'all';

/** Tell something to a role; an administrator, to everybody. */
export function NoticeDialog({ onClose }: { onClose: () => void }) {
  const { say } = useTongue();
  const form = useForm({
    name: 'notice.new',
    initial: { audience: 'clerk' as string, level: 'info' as string, title: '', message: '', link: '' },
    save: async ({ audience, level, title, message, link }) => {
      const to = audience === EVERYBODY ? ({ audience: 'all' } as const) : ({ audience: 'role', role: audience as Role } as const);
      await api.post('/api/notifications', { body: { ...to, level: level as (typeof LEVELS)[number], title, message, ...(link ? { link } : {}) } });
      toast(say('notices.sent'));
      onClose();
    },
  });
  const labels = {
    audience: say('notices.audience'),
    level: say('notices.level'),
    title: say('notices.title'),
    message: say('notices.message'),
    link: say('notices.link'),
  };
  const audiences = ROLES.map((role) => ({ value: role as string, title: say('notices.audience.role', { role: say(`role.${role}`) }) }));
  if (may('admin')) audiences.unshift({ value: EVERYBODY, title: say('notices.audience.all') });
  return (
    <Dialog title={say('notices.write')} onClose={onClose}>
      <Form form={form} labels={labels} act={say('notices.send')} onCancel={onClose}>
        <SelectField form={form} name="audience" label={labels.audience} options={audiences} />
        <SelectField form={form} name="level" label={labels.level} options={LEVELS.map((value) => ({ value, title: say(`notice.level.${value}`) }))} />
        <TextField form={form} name="title" label={labels.title} required maxLength={120} wide autofocus />
        <TextField form={form} name="message" label={labels.message} required maxLength={1000} rows={3} wide />
        <TextField form={form} name="link" label={labels.link} hint={say('notices.link.hint')} maxLength={200} wide />
      </Form>
    </Dialog>
  );
}
