import type { MaintenanceView } from '../../api/types';
import { useAnswer } from '../../live/use_answer';
import { api } from '../../session/current';
import { AnswerView } from '../../ui/answer_view';
import { Badge } from '../../ui/badge';
import { Button } from '../../ui/button';
import { confirm } from '../../ui/confirm';
import { NumberField, TextField } from '../../ui/field';
import { Form } from '../../ui/form';
import { PageHeader } from '../../ui/page_header';
import { asProblem } from '../../api/problem';
import { toast } from '../../ui/toast';
import { useForm } from '../../ui/use_form';
import '../../words/notifications';
import { useTongue } from '../../words/tongue';
import './talk.css';

export default function MaintenancePage() {
  const { say } = useTongue();
  const answer = useAnswer('/api/system/maintenance');
  return (
    <div class="page narrow">
      <PageHeader title={say('nav.maintenance')} note={say('maintenance.lead')} />
      <AnswerView answer={answer}>{({ data }) => (data.enabled ? <On state={data} /> : <Off state={data} />)}</AnswerView>
    </div>
  );
}

function State({ state }: { state: MaintenanceView }) {
  const { say, moment } = useTongue();
  return (
    <p>
      <Badge tone={state.enabled ? 'warn' : 'good'}>{say(state.enabled ? 'maintenance.state.on' : 'maintenance.state.off')}</Badge>{' '}
      {state.since !== null && (
        <span class="quiet">{say('maintenance.since', { time: moment(new Date(state.since)), name: state.by ?? 'SteinmetZ' })}</span>
      )}
    </p>
  );
}

function On({ state }: { state: MaintenanceView }) {
  const { say } = useTongue();
  const end = async () => {
    try {
      await api.put('/api/system/maintenance', { body: { enabled: false } });
      toast(say('maintenance.switched_off'));
    } catch (error) {
      toast(asProblem(error).detail, { isProblem: true });
    }
  };
  return (
    <section class="card maintenance">
      <State state={state} />
      <p>{state.message}</p>
      <p>
        <Button kind="primary" icon="play" onClick={() => void end()}>
          {say('maintenance.switch_off')}
        </Button>
      </p>
    </section>
  );
}

function Off({ state }: { state: MaintenanceView }) {
  const { say } = useTongue();
  const form = useForm({
    name: 'maintenance',
    initial: { message: '', minutes: 30 },
    save: async ({ message, minutes }) => {
      const question = { title: say('maintenance.switch_on'), text: say('maintenance.switch_on.text'), act: say('maintenance.switch_on') };
      if (!(await confirm({ ...question, isDanger: true }))) return;
      const until = minutes > 0 ? new Date(Date.now() + minutes * 60_000).toISOString() : null;
      await api.put('/api/system/maintenance', { body: { enabled: true, message, until } });
      toast(say('maintenance.switched_on'));
    },
  });
  const labels = { message: say('maintenance.message'), minutes: say('maintenance.minutes') };
  return (
    <section class="card maintenance">
      <State state={state} />
      <Form form={form} labels={labels} act={say('maintenance.switch_on')}>
        <TextField form={form} name="message" label={labels.message} required maxLength={500} wide />
        <NumberField form={form} name="minutes" label={labels.minutes} hint={say('maintenance.minutes.hint')} min={0} max={10_080} />
      </Form>
    </section>
  );
}
