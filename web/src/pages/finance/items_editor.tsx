import { useRef } from 'preact/hooks';
import { IconButton } from '../../ui/button';
import { NumberInput } from '../../ui/number_input';
import { onRowKey } from '../../ui/row_keys';
import { toast } from '../../ui/toast';
import '../../words/invoices';
import { useTongue } from '../../words/tongue';
import './editor.css';
import { nextItem, type Item } from './draft';
import { itemSum, VAT_RATES, type VatRate } from './invoice_sums';

interface Props {
  items: readonly Item[];
  set: (items: Item[]) => void;
  flaw: string | undefined;
}

/** The items of a draft, one a row, with an empty row for the next; typed by keyboard alone if one likes. */
export function ItemsEditor({ items, set, flaw }: Props) {
  const { say, money, percent } = useTongue();
  const body = useRef<HTMLTableSectionElement>(null);
  const rows = [...items, nextItem(items)];
  const change = (row: number, some: Partial<Item>) => {
    const item = rows[row];
    if (item) set([...items.slice(0, row), { ...item, ...some }, ...items.slice(row + 1)]);
  };
  const remove = (row: number) => {
    if (row >= items.length) return;
    set(items.filter((_, index) => index !== row));
    toast(say('item.removed'), { undo: () => set([...items]) });
  };
  const nameOf = (field: 'description' | 'quantityMilli' | 'unit' | 'unitPriceCents' | 'vatPercent', row: number) =>
    say('item.field', { field: say(`item.${field}`), row: row + 1 });
  return (
    <fieldset class="field wide items-editor">
      <legend>{say('invoice.items')}</legend>
      <div class="table-frame">
        <table class="edit-table">
          <thead>
            <tr>
              <th scope="col">{say('item.position')}</th>
              <th scope="col" class="stretch">
                {say('item.description')}
              </th>
              <th scope="col" class="end">
                {say('item.quantityMilli')}
              </th>
              <th scope="col">{say('item.unit')}</th>
              <th scope="col" class="end">
                {say('item.unitPriceCents')}
              </th>
              <th scope="col">{say('item.vatPercent')}</th>
              <th scope="col" class="end">
                {say('item.netCents')}
              </th>
              <td />
            </tr>
          </thead>
          <tbody ref={body} onKeyDown={(event) => void onRowKey(event, { body: body.current, remove })}>
            {rows.map((item, row) => {
              const isNext = row === items.length;
              return (
                <tr key={row} data-next={isNext ? '' : undefined}>
                  <td class="quiet number">{isNext ? '' : row + 1}</td>
                  <td class="stretch">
                    <input
                      data-column="description"
                      aria-label={nameOf('description', row)}
                      placeholder={isNext ? say('item.new') : undefined}
                      maxLength={300}
                      autocomplete="off"
                      value={item.description}
                      onInput={(event) => change(row, { description: event.currentTarget.value })}
                    />
                  </td>
                  <td>
                    <NumberInput data-column="quantity" label={nameOf('quantityMilli', row)} value={item.quantityMilli} units={1000} min={1} set={(quantityMilli) => change(row, { quantityMilli })} />
                  </td>
                  <td>
                    <input
                      class="unit-cell"
                      data-column="unit"
                      aria-label={nameOf('unit', row)}
                      maxLength={10}
                      autocomplete="off"
                      value={item.unit}
                      onInput={(event) => change(row, { unit: event.currentTarget.value })}
                    />
                  </td>
                  <td>
                    <NumberInput data-column="price" label={nameOf('unitPriceCents', row)} value={item.unitPriceCents} units={100} isZeroEmpty={isNext} set={(unitPriceCents) => change(row, { unitPriceCents })} />
                  </td>
                  <td>
                    <select data-column="vat" aria-label={nameOf('vatPercent', row)} value={item.vatPercent} onChange={(event) => change(row, { vatPercent: Number(event.currentTarget.value) as VatRate })}>
                      {VAT_RATES.map((rate) => (
                        <option key={rate} value={rate}>
                          {percent(rate / 100)}
                        </option>
                      ))}
                    </select>
                  </td>
                  <td class="end number">{isNext ? '' : money(itemSum(item).netCents, 'EUR')}</td>
                  <td>{!isNext && <IconButton icon="trash" label={say('item.remove', { row: row + 1 })} onClick={() => remove(row)} />}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
      {flaw && (
        <p class="flaw small" role="alert">
          {flaw}
        </p>
      )}
      <p class="quiet small for-keys">{say('item.keys')}</p>
    </fieldset>
  );
}
