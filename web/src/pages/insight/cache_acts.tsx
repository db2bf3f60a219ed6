/** Dropping and warming by hand: both are asked for, because everybody waits for what is computed again. */

import { useState } from 'preact/hooks';
import { asProblem } from '../../api/problem';
import { api } from '../../session/current';
import { Button } from '../../ui/button';
import { confirm } from '../../ui/confirm';
import { Dialog } from '../../ui/dialog';
import { SelectField, TextField } from '../../ui/field';
import { Form } from '../../ui/form';
import { titleOf } from '../../ui/problem_note';
import { toast } from '../../ui/toast';
import { useForm } from '../../ui/use_form';
import { useTongue } from '../../words/tongue';

const WAYS = ['path', 'tag', 'pattern', 'everything'] as const;
type Way = (typeof WAYS)[number];

export function CacheActs({ isWarming, done }: { isWarming: boolean; done: () => void }) {
  const { say } = useTongue();
  const [isAsking, setAsking] = useState(false);
  const warm = async () => {
    if (!(await confirm({ title: say('insight.cache.warm'), text: say('insight.cache.warm.text'), act: say('insight.cache.warm') }))) return;
    try {
      const { data } = await api.post('/api/cache/warm');
      toast(say('insight.cache.warming', { count: data.answers }));
    } catch (error) {
      const problem = asProblem(error);
      toast(problem.detail || say(titleOf(problem)), { isProblem: true });
    }
    done();
  };
  return (
    <>
      <Button icon="play" busy={isWarming} onClick={() => void warm()}>
        {say(isWarming ? 'insight.cache.is_warming' : 'insight.cache.warm')}
      </Button>
      <Button kind="danger" icon="trash" onClick={() => setAsking(true)}>
        {say('insight.cache.invalidate')}
      </Button>
      {isAsking && (
        <InvalidateDialog
          close={() => {
            setAsking(false);
            done();
          }}
        />
      )}
    </>
  );
}

function InvalidateDialog({ close }: { close: () => void }) {
  const { say, count } = useTongue();
  const form = useForm<{ way: Way; what: string }>({
    name: 'cache.invalidate',
    initial: { way: 'path', what: '/api/' },
    save: async ({ way, what }) => {
      const isSure =
        way !== 'everything' ||
        (await confirm({ title: say('insight.cache.way.everything'), text: say('insight.cache.everything.text'), act: say('insight.cache.invalidate'), isDanger: true }));
      if (!isSure) return;
      const { data } = await api.post('/api/cache/invalidate', { body: way === 'everything' ? { everything: true } : { [way]: what } });
      toast(say('insight.cache.invalidated', { count: data.dropped, number: count(data.dropped) }));
      close();
    },
  });
  const { way } = form.values;
  return (
    <Dialog title={say('insight.cache.invalidate')} onClose={close}>
      <p class="quiet">{say('insight.cache.invalidate.text')}</p>
      <Form form={form} act={say('insight.cache.invalidate')} labels={{ way: say('insight.cache.way'), what: say('insight.cache.what') }} onCancel={close}>
        <SelectField form={form} name="way" label={say('insight.cache.way')} options={WAYS.map((value) => ({ value, title: say(`insight.cache.way.${value}`) }))} wide />
        {way !== 'everything' && <TextField form={form} name="what" label={say('insight.cache.what')} hint={say(`insight.cache.hint.${way}`)} required maxLength={2000} wide autofocus />}
      </Form>
    </Dialog>
  );
}
