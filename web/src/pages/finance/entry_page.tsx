import { useState } from 'preact/hooks';
import type { EntryView } from '../../api/types';
import type { PageProps } from '../../app/pages';
import { useAnswer } from '../../live/use_answer';
import { api, may } from '../../session/current';
import { AnswerView } from '../../ui/answer_view';
import { Badge } from '../../ui/badge';
import { Button } from '../../ui/button';
import { Day, Moment } from '../../ui/day';
import { Details } from '../../ui/details';
import { Dialog } from '../../ui/dialog';
import { TextField } from '../../ui/field';
import { Form } from '../../ui/form';
import { PageHeader } from '../../ui/page_header';
import { companyToday } from '../../ui/periods';
import { toast } from '../../ui/toast';
import { useForm } from '../../ui/use_form';
import { go } from '../../app/router';
import '../../words/books';
import { useTongue } from '../../words/tongue';
import './document.css';
import { Source } from './source';

const kindOf = ({ source }: EntryView) => source.split(':')[0] ?? '';
const DOCUMENTS = new Set(['invoice', 'cancellation', 'payment', 'credit', 'refund']);
const isOfDocument = (entry: EntryView) => DOCUMENTS.has(kindOf(entry));
/** What a document has posted is corrected there, and a reversal is not reversed. */
const isReversible = (entry: EntryView) => entry.reversedById === null && !isOfDocument(entry) && kindOf(entry) !== 'reversal';

export default function EntryPage({ params }: PageProps) {
  const { say, money } = useTongue();
  const id = Number(params['id']);
  const answer = useAnswer('/api/journal-entries/{entry_id}', { path: { entry_id: id } });
  const entry = answer.body?.data;
  const [isReversing, setReversing] = useState(false);
  const linked = (other: number | null) => other !== null && <a href={`/journal/${other}`}>{say('entry.title', { id: other })}</a>;
  return (
    <div class="page">
      <PageHeader
        back={{ to: '/journal', title: say('nav.journal') }}
        title={say('entry.title', { id })}
        note={entry?.description}
        badge={entry && entry.reversedById !== null && <Badge>{say('entry.reversed')}</Badge>}
        actions={
          entry &&
          may('manager') &&
          isReversible(entry) && (
            <Button icon="undo" onClick={() => setReversing(true)}>
              {say('entry.reverse')}
            </Button>
          )
        }
      />
      <AnswerView answer={answer}>
        {({ data }) => (
          <div class="invoice-board">
            <section class="card items-card">
              <h2>{say('entry.lines')}</h2>
              <div class="items-scroll" tabIndex={0} role="region" aria-label={say('entry.lines')}>
                <table class="plain-table items-table">
                  <thead>
                    <tr>
                      <th scope="col">{say('line.account')}</th>
                      <th scope="col" class="end">
                        {say('line.debit')}
                      </th>
                      <th scope="col" class="end">
                        {say('line.credit')}
                      </th>
                    </tr>
                  </thead>
                  <tbody>
                    {data.lines.map((line) => (
                      <tr key={line.id}>
                        <td class="said">
                          <a href={`/accounts/${line.accountId}`}>
                            {line.accountNumber} {line.accountName}
                          </a>
                        </td>
                        <td class="end number">{line.amountCents > 0 && money(line.amountCents, 'EUR')}</td>
                        <td class="end number">{line.amountCents < 0 && money(-line.amountCents, 'EUR')}</td>
                      </tr>
                    ))}
                  </tbody>
                  <tfoot>
                    <tr>
                      <td />
                      <td class="end number">
                        <b>{money(data.amountCents, 'EUR')}</b>
                      </td>
                      <td class="end number">
                        <b>{money(data.amountCents, 'EUR')}</b>
                      </td>
                    </tr>
                  </tfoot>
                </table>
              </div>
            </section>
            <div class="invoice-side">
              <Details
                title={say('entry.facts')}
                rows={[
                  [say('entry.date'), <Day date={data.date} />],
                  [say('entry.description'), data.description],
                  [say('journal.source'), <Source source={data.source} />],
                  [say('entry.createdAt'), <Moment at={data.createdAt} />],
                  ...(data.reversesId === null ? [] : [[say('entry.reverses'), linked(data.reversesId)] as const]),
                  ...(data.reversedById === null ? [] : [[say('entry.reversed_by'), linked(data.reversedById)] as const]),
                ]}
              />
              {isOfDocument(data) && <p class="quiet small">{say('entry.of_document')}</p>}
            </div>
          </div>
        )}
      </AnswerView>
      {entry && isReversing && <ReverseDialog entry={entry} onClose={() => setReversing(false)} />}
    </div>
  );
}

function ReverseDialog({ entry, onClose }: { entry: EntryView; onClose: () => void }) {
  const { say, money } = useTongue();
  const { id } = entry;
  const labels = { date: say('entry.reverse.day'), reason: say('entry.reverse.reason') };
  const form = useForm({
    name: `entry.reverse.${id}`,
    initial: { date: companyToday(), reason: '' },
    save: async (values) => {
      const { data } = await api.post('/api/journal-entries/{entry_id}/reverse', { path: { entry_id: id }, body: values });
      toast(say('entry.reverse.done', { id: data.id }));
      onClose();
      go(`/journal/${data.id}`);
    },
  });
  return (
    <Dialog title={say('entry.reverse.title', { id })} onClose={onClose}>
      <p>{say('entry.reverse.happens', { amount: money(entry.amountCents, 'EUR') })}</p>
      <Form form={form} labels={labels} act={say('entry.reverse')} onCancel={onClose}>
        <TextField form={form} name="date" label={labels.date} type="date" required />
        <TextField form={form} name="reason" label={labels.reason} maxLength={120} autofocus />
      </Form>
    </Dialog>
  );
}
