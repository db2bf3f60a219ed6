import { asProblem, flaw } from '../../api/problem';
import type { TimeEntryView } from '../../api/types';
import { api } from '../../session/current';
import { Button } from '../../ui/button';
import { Dialog } from '../../ui/dialog';
import { TextField } from '../../ui/field';
import { Form } from '../../ui/form';
import { toast } from '../../ui/toast';
import { useForm } from '../../ui/use_form';
import { useTongue } from '../../words/tongue';
import { minuteOf } from './weeks';

interface Props {
  date: string;
  /** Null: a new one. */
  entry: TimeEntryView | null;
  /** Null: one's own. */
  employeeId: number | null;
  onClose: () => void;
}

export function TimeDialog({ date, entry, employeeId, onClose }: Props) {
  const { say, day, minuteOfDay } = useTongue();
  const valuesOf = ({ startMinute, endMinute, project, note }: Pick<TimeEntryView, 'startMinute' | 'endMinute' | 'project' | 'note'>) => ({
    start: minuteOfDay(startMinute),
    end: minuteOfDay(endMinute),
    project,
    note,
  });
  const form = useForm({
    name: `time.${entry?.id ?? date}`,
    initial: entry ? valuesOf(entry) : { start: '08:00', end: '12:00', project: '', note: '' },
    version: entry?.version ?? 0,
    save: async ({ start, end, project, note }, { version }) => {
      const [startMinute, endMinute] = [minuteOf(start), minuteOf(end)];
      if (startMinute === null) throw flaw('start', say('time.bad_minutes'));
      if (endMinute === null || endMinute <= startMinute) throw flaw('end', say('time.bad_minutes'));
      const span = { startMinute, endMinute };
      if (entry) await api.patch('/api/time-entries/{entry_id}', { path: { entry_id: entry.id }, body: { version, ...span, project, note } });
      else await api.post('/api/time-entries', { body: { ...(employeeId ? { employeeId } : {}), date, ...span, project, note } });
      toast(say('form.saved'));
      onClose();
    },
    fromCurrent: (current) => {
      const record = current as TimeEntryView;
      return { values: valuesOf(record), version: record.version };
    },
  });
  const remove = async (gone: TimeEntryView) => {
    const { id, version, employeeId: whose, startMinute, endMinute, project, note } = gone;
    try {
      await api.delete('/api/time-entries/{entry_id}', { path: { entry_id: id }, query: { version } });
      const again = { ...(employeeId ? { employeeId: whose } : {}), date, startMinute, endMinute, project, note };
      toast(say('time.deleted'), { undo: () => void api.post('/api/time-entries', { body: again }).catch(() => undefined) });
      onClose();
    } catch (error) {
      toast(asProblem(error).detail, { isProblem: true });
    }
  };
  const labels = { start: say('time.start'), end: say('time.end'), project: say('time.project'), note: say('time.note') };
  return (
    <Dialog title={entry ? say('time.change') : say('time.add', { day: day(date) })} onClose={onClose}>
      <Form
        form={form}
        labels={labels}
        onCancel={onClose}
        extra={
          entry && (
            <Button kind="danger" icon="trash" onClick={() => void remove(entry)}>
              {say('time.delete')}
            </Button>
          )
        }
      >
        <TextField form={form} name="start" label={labels.start} required maxLength={5} autofocus />
        <TextField form={form} name="end" label={labels.end} required maxLength={5} />
        <TextField form={form} name="project" label={labels.project} maxLength={120} wide />
        <TextField form={form} name="note" label={labels.note} maxLength={500} wide />
      </Form>
    </Dialog>
  );
}
