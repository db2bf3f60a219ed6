import type { LeaveKind, LeaveView } from '../../api/types';
import { api } from '../../session/current';
import { Dialog } from '../../ui/dialog';
import { SelectField, TextField } from '../../ui/field';
import { Form } from '../../ui/form';
import { companyToday } from '../../ui/periods';
import { toast } from '../../ui/toast';
import { useForm } from '../../ui/use_form';
import { useTongue } from '../../words/tongue';

const KINDS: readonly LeaveKind[] = ['vacation', 'sick', 'special'];

/** Ask for leave of one's own. */
export function LeaveDialog({ onClose }: { onClose: () => void }) {
  const { say } = useTongue();
  const today = companyToday();
  const form = useForm({
    name: 'leave.new',
    initial: { kind: 'vacation' as string, firstDay: today, lastDay: today },
    save: async ({ kind, firstDay, lastDay }) => {
      const { data } = await api.post('/api/leave-requests', { body: { kind: kind as LeaveKind, firstDay, lastDay } });
      toast(`${say('leave.requested')}: ${data.workdays} ${say('leave.days')}`);
      onClose();
    },
  });
  const labels = { kind: say('leave.kind'), firstDay: say('leave.firstDay'), lastDay: say('leave.lastDay') };
  return (
    <Dialog title={say('leave.request')} onClose={onClose}>
      <Form form={form} labels={labels} act={say('leave.request')} onCancel={onClose}>
        <SelectField form={form} name="kind" label={labels.kind} options={KINDS.map((value) => ({ value, title: say(`leave.kind.${value}`) }))} />
        <TextField form={form} name="firstDay" label={labels.firstDay} type="date" required autofocus />
        <TextField form={form} name="lastDay" label={labels.lastDay} type="date" required />
      </Form>
    </Dialog>
  );
}

export function RejectDialog({ leave, onClose }: { leave: LeaveView; onClose: () => void }) {
  const { say } = useTongue();
  const form = useForm({
    name: `leave.${leave.id}.reject`,
    initial: { reason: '' },
    version: leave.version,
    save: async ({ reason }) => {
      await api.post('/api/leave-requests/{leave_id}/reject', { path: { leave_id: leave.id }, body: { version: leave.version, reason } });
      toast(say('form.saved'));
      onClose();
    },
  });
  const labels = { reason: say('leave.reason') };
  return (
    <Dialog title={`${say('leave.reject')}: ${leave.employeeName}`} onClose={onClose}>
      <Form form={form} labels={labels} act={say('leave.reject')} onCancel={onClose}>
        <TextField form={form} name="reason" label={labels.reason} rows={3} maxLength={500} wide autofocus />
      </Form>
    </Dialog>
  );
}
