import { useRef, useState } from 'preact/hooks';
import { follow, useQuery } from '../app/router';
import { useTongue } from '../words/tongue';
import { Button } from './button';
import { csvOf, saveFile, type CsvCell } from './csv';
import type { Column } from './data_table';
import { Empty } from './empty';
import { Icon } from './icon';
import { ordered } from './ordered';

export interface FigureColumn<Row> extends Omit<Column<Row>, 'text' | 'sort'> {
  /** What it is sorted by and what stands in the CSV; a column without it has neither. */
  value?: (row: Row) => CsvCell;
}

interface Props<Row> {
  label: string;
  rows: readonly Row[];
  columns: readonly FigureColumn<Row>[];
  rowKey: (row: Row) => string | number;
  href?: (row: Row) => string;
  /** The column's id, with `-` before it for the largest first; the order of `rows` without it. */
  defaultSort?: string;
  /** Its name in the query string, where a page has several tables. */
  sortName?: string;
  exportAs?: string;
  empty: string;
  isFiltered?: boolean;
  /** Rows shown before "show more". */
  shown?: number;
}

/**
 * Figures that the page has as a whole, sorted here: where `DataTable` shows records page by page, and marks each that
 * changes, this one is for numbers that all move all the time.
 */
export function FiguresTable<Row>(props: Props<Row>) {
  const { label, rows, columns, rowKey, href, defaultSort = '', sortName = 'sort', exportAs, empty, isFiltered, shown = 25 } = props;
  const { say, count } = useTongue();
  const [query, setQuery] = useQuery();
  const [most, setMost] = useState(shown);
  const body = useRef<HTMLTableSectionElement>(null);
  const sort = query.get(sortName) ?? defaultSort;
  if (rows.length === 0) return <Empty icon={isFiltered ? 'search' : 'info'} text={isFiltered ? say('table.no_match') : empty} />;

  const sorted = ordered(rows, columns, sort);
  const visible = sorted.slice(0, most);
  const onKeyDown = (event: KeyboardEvent) => {
    const links = [...(body.current?.querySelectorAll<HTMLElement>('a.row-link') ?? [])];
    const at = links.indexOf(document.activeElement as HTMLElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: links.length - 1 }[event.key];
    if (at < 0 || to === undefined) return;
    event.preventDefault();
    links[Math.min(links.length - 1, Math.max(0, to))]?.focus();
  };
  const save = () => {
    const told = columns.filter((column) => column.value);
    saveFile(`${exportAs}.csv`, csvOf(told.map((column) => column.title), sorted.map((row) => told.map((column) => column.value?.(row)))));
  };
  return (
    <div class="data-table">
      <div class="table-frame">
        <table role="table" aria-label={label}>
          <thead role="rowgroup">
            <tr role="row">
              {columns.map((column) => {
                const is = sort === column.id ? 'ascending' : sort === `-${column.id}` ? 'descending' : 'none';
                // Of figures the largest is looked for, of names the first.
                const next = column.align === 'end' ? (is === 'descending' ? column.id : `-${column.id}`) : is === 'ascending' ? `-${column.id}` : column.id;
                return (
                  <th role="columnheader" scope="col" key={column.id} class={classOf(column)} {...(column.value ? { 'aria-sort': is } : {})}>
                    {column.value ? (
                      <button type="button" class="sort" title={say('table.sort', { column: column.title })} onClick={() => setQuery({ [sortName]: next === defaultSort ? null : next })}>
                        {column.title}
                        {is !== 'none' && <Icon name={is === 'ascending' ? 'up' : 'down'} />}
                      </button>
                    ) : (
                      column.title
                    )}
                  </th>
                );
              })}
            </tr>
          </thead>
          <tbody ref={body} role="rowgroup" onKeyDown={onKeyDown}>
            {visible.map((row) => (
              <tr
                role="row"
                key={rowKey(row)}
                class={href ? 'leads' : undefined}
                onClick={(event) => {
                  const isOnControl = event.target instanceof Element && event.target.closest('a, button');
                  if (href && !isOnControl && !getSelection()?.toString()) follow(href(row));
                }}
              >
                {columns.map((column) => (
                  <td role="cell" key={column.id} data-label={column.title} class={classOf(column)}>
                    {column.isMain && href ? (
                      <a class="row-link" href={href(row)}>
                        {column.cell(row)}
                      </a>
                    ) : (
                      column.cell(row)
                    )}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <footer class="table-foot">
        <span class="quiet small">
          {visible.length < rows.length
            ? say('table.of', { shown: count(visible.length), total: count(rows.length) })
            : say('table.count', { count: rows.length, number: count(rows.length) })}
        </span>
        {visible.length < rows.length && <Button onClick={() => setMost(most + shown)}>{say('table.more')}</Button>}
        {exportAs && (
          <Button kind="bare" icon="download" title={say('table.export.title')} onClick={save}>
            {say('table.export')}
          </Button>
        )}
      </footer>
    </div>
  );
}

function classOf<Row>({ align, isMain, isExtra }: FigureColumn<Row>): string {
  return [align === 'end' && 'end number', isMain && 'main-cell', isExtra && 'extra'].filter(Boolean).join(' ');
}
