import { useRef } from 'preact/hooks';
import { api } from '../../session/current';
import { Button, IconButton } from '../../ui/button';
import { Combobox, type Choice } from '../../ui/combobox';
import { NumberInput } from '../../ui/number_input';
import { onRowKey } from '../../ui/row_keys';
import { toast } from '../../ui/toast';
import '../../words/books';
import { useTongue } from '../../words/tongue';
import './editor.css';
import { differenceOf, type EntryLine } from './entry';

const FEW = 8;

async function findAccounts(text: string, signal: AbortSignal): Promise<readonly Choice<number>[]> {
  const { data } = await api.get('/api/accounts', { query: { q: text, limit: 4 * FEW }, signal });
  return data.filter((account) => account.isActive).slice(0, FEW).map(({ id, number, name }) => ({ id, title: `${number} ${name}` }));
}

interface Props {
  lines: readonly EntryLine[];
  set: (lines: EntryLine[]) => void;
  flaw: string | undefined;
}

/** The lines of a manual entry, with an empty one for the next, and by how much they do not balance yet. */
export function LinesEditor({ lines, set, flaw }: Props) {
  const { say, money } = useTongue();
  const body = useRef<HTMLTableSectionElement>(null);
  const rows: readonly EntryLine[] = [...lines, { account: null, amountCents: 0 }];
  const off = differenceOf(lines);
  const isEmpty = lines.every((line) => line.amountCents === 0);
  const change = (row: number, some: Partial<EntryLine>) => {
    const line = rows[row];
    if (line) set([...lines.slice(0, row), { ...line, ...some }, ...lines.slice(row + 1)]);
  };
  const remove = (row: number) => {
    if (row >= lines.length) return;
    set(lines.filter((_, index) => index !== row));
    toast(say('line.removed'), { undo: () => set([...lines]) });
  };
  const balance = (row: number) => change(row, { amountCents: (rows[row]?.amountCents ?? 0) - off });
  const onKeyDown = (event: KeyboardEvent) => {
    const { target } = event;
    if (event.key === '=' && target instanceof HTMLInputElement && target.classList.contains('number-cell')) {
      event.preventDefault();
      const row = [...(body.current?.children ?? [])].findIndex((one) => one.contains(target));
      if (row >= 0) balance(row);
    } else onRowKey(event, { body: body.current, remove });
  };
  const nameOf = (field: 'line.account' | 'line.debit' | 'line.credit', row: number) => say('line.field', { field: say(field), row: row + 1 });
  // Where the difference is most likely wanted: the first line with an account and no amount, else the last one.
  const empty = lines.findIndex((line) => line.account !== null && line.amountCents === 0);
  const wanted = empty < 0 ? lines.length : empty;
  return (
    <fieldset class="field wide lines-editor">
      <legend>{say('entry.lines')}</legend>
      <div class="table-frame">
        <table class="edit-table entry-lines">
          <thead>
            <tr>
              <th scope="col" class="stretch">
                {say('line.account')}
              </th>
              <th scope="col" class="end">
                {say('line.debit')}
              </th>
              <th scope="col" class="end">
                {say('line.credit')}
              </th>
              <td />
            </tr>
          </thead>
          <tbody ref={body} onKeyDown={onKeyDown}>
            {rows.map((line, row) => (
              <tr key={row}>
                <td class="stretch">
                  <Combobox<number>
                    label={nameOf('line.account', row)}
                    value={line.account}
                    choose={(choice) => (row < lines.length || choice) && change(row, { account: choice && { id: choice.id, title: choice.title } })}
                    search={findAccounts}
                  />
                </td>
                <td>
                  <NumberInput data-column="debit" placeholder={say('line.debit')} label={nameOf('line.debit', row)} value={Math.max(0, line.amountCents)} units={100} min={0} isZeroEmpty set={(cents) => (cents > 0 || line.amountCents > 0) && change(row, { amountCents: cents })} />
                </td>
                <td>
                  <NumberInput data-column="credit" placeholder={say('line.credit')} label={nameOf('line.credit', row)} value={Math.max(0, -line.amountCents)} units={100} min={0} isZeroEmpty set={(cents) => (cents > 0 || line.amountCents < 0) && change(row, { amountCents: cents === 0 ? 0 : -cents })} />
                </td>
                <td>{row < lines.length && <IconButton icon="trash" label={say('line.remove', { row: row + 1 })} onClick={() => remove(row)} />}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p class={isEmpty ? 'balance-line none' : off === 0 ? 'balance-line' : 'balance-line off'} role="status">
        {isEmpty ? say('entry.nothing_yet') : off === 0 ? say('entry.balanced') : say(off > 0 ? 'entry.off_debit' : 'entry.off_credit', { amount: money(Math.abs(off), 'EUR') })}
        {off !== 0 && (
          <Button kind="bare" onClick={() => balance(wanted)}>
            {say('entry.balance_it')} ({wanted + 1})
          </Button>
        )}
      </p>
      {flaw && (
        <p class="flaw small" role="alert">
          {flaw}
        </p>
      )}
      <p class="quiet small for-keys">{say('entry.keys')}</p>
    </fieldset>
  );
}
