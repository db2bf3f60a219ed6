import { useState } from 'preact/hooks';
import { Problem } from '../../api/problem';
import { go, leaveFor, useQuery } from '../../app/router';
import { useAnswer } from '../../live/use_answer';
import { api } from '../../session/current';
import { TextField } from '../../ui/field';
import { Form } from '../../ui/form';
import { PageHeader } from '../../ui/page_header';
import { companyToday } from '../../ui/periods';
import { Skeleton } from '../../ui/skeleton';
import { toast } from '../../ui/toast';
import { useForm } from '../../ui/use_form';
import '../../words/books';
import { useTongue } from '../../words/tongue';
import { entryFlaw, isBlank, type EntryLine } from './entry';
import { LinesEditor } from './lines_editor';

/** With `?account=4930` in the address the first line has its account already. */
export default function EntryNewPage() {
  const { say } = useTongue();
  const [query] = useQuery();
  const [number] = useState(query.get('account') ?? '');
  const answer = useAnswer('/api/accounts', number ? { query: { q: number, limit: 20 } } : null);
  const account = answer.body?.data.find((one) => one.number === number && one.isActive);
  const lines: EntryLine[] = account ? [{ account: { id: account.id, title: `${account.number} ${account.name}` }, amountCents: 0 }] : [];
  return (
    <div class="page">
      <PageHeader back={{ to: '/journal', title: say('nav.journal') }} title={say('nav.entry.new')} />
      {!number || answer.body || answer.problem ? <New lines={lines} /> : <Skeleton />}
    </div>
  );
}

function New({ lines }: { lines: EntryLine[] }) {
  const { say, money } = useTongue();
  const labels = { date: say('entry.date'), description: say('entry.description'), lines: say('entry.lines') };
  const form = useForm({
    name: 'entry.new',
    initial: { date: companyToday(), description: '', lines },
    save: async (values) => {
      const flaw = entryFlaw(values.lines);
      if (flaw) {
        const message = say(flaw.phrase, { row: flaw.row ?? 0, amount: money(flaw.cents ?? 0, 'EUR') });
        throw new Problem(422, 'Invalid', message, '', null, { errors: [{ field: 'lines', message }] });
      }
      const { data } = await api.post('/api/journal-entries', {
        body: {
          date: values.date,
          description: values.description,
          lines: values.lines.filter((line) => !isBlank(line)).map((line) => ({ accountId: line.account?.id ?? 0, amountCents: line.amountCents })),
        },
      });
      toast(say('entry.posted', { id: data.id }));
      go(`/journal/${data.id}`, { replace: true });
    },
  });
  return (
    <Form form={form} labels={labels} act={say('entry.post')} onCancel={() => leaveFor('/journal')}>
      <TextField form={form} name="date" label={labels.date} type="date" required />
      <TextField form={form} name="description" label={labels.description} required maxLength={200} autofocus />
      <LinesEditor lines={form.values.lines} set={(next) => form.set('lines', next)} flaw={form.flawOf('lines')} />
    </Form>
  );
}
