import type { ComponentChildren } from 'preact';
import { useMemo, useRef } from 'preact/hooks';
import { follow, useQuery } from '../app/router';
import { useChangedRows } from '../live/changed';
import type { Listing } from '../live/use_answer';
import { useTongue } from '../words/tongue';
import { Button } from './button';
import type { CsvCell } from './csv';
import { Empty } from './empty';
import { ExportButton } from './export_button';
import { Icon } from './icon';
import { ProblemNote } from './problem_note';
import { Skeleton } from './skeleton';

export interface Column<Row> {
  id: string;
  title: string;
  cell: (row: Row) => ComponentChildren;
  /** What stands in the CSV; a column without it is not in the file. */
  text?: (row: Row) => CsvCell;
  /** Numbers and money stand at the end. */
  align?: 'end';
  /** The API's word for sorting by it. */
  sort?: string;
  /** Names the row: it carries the link, and heads the card on a phone. */
  isMain?: boolean;
  /** Not on a phone. */
  isExtra?: boolean;
}

interface Props<Row> {
  /** What the table is of, for those who do not see it. */
  label: string;
  list: Listing<Row>;
  columns: readonly Column<Row>[];
  rowKey: (row: Row) => string | number;
  /** Where a row leads. */
  href?: (row: Row) => string;
  /** The order without any in the query string, as the API's `sort` says it. */
  defaultSort?: string;
  /** The CSV's name, without its ending; no export without it. */
  exportAs?: string;
  /** Said when there is nothing, with no filter set. */
  empty: string;
  /** Whether a filter is set, and how to clear all. */
  filtered?: { is: boolean; clear: () => void };
  /** Stands at the end of each row. */
  actions?: (row: Row) => ComponentChildren;
}

/**
 * A list of records, kept true. Its order is in the query string; arrows go from row to row, Enter opens; on a phone
 * each row is a card.
 */
export function DataTable<Row>(props: Props<Row>) {
  const { label, columns, rowKey, href, defaultSort, exportAs, empty, filtered, actions } = props;
  const { say, count } = useTongue();
  const [query, setQuery] = useQuery();
  const body = useRef<HTMLTableSectionElement>(null);
  const marked = useChangedRows(props.list.rows, rowKey, props.list.at ?? '', props.list.phase === 'ready');
  const list = useShown(props.list);
  const isWaiting = list !== props.list;
  const sort = query.get('sort') ?? defaultSort ?? '';
  const latest = useRef(props);
  latest.current = props;
  // While the rows and their columns are the same, so is what is drawn of them: an order that is chosen is seen at once.
  const isLink = href !== undefined;
  const rows = useMemo(
    () =>
      list.rows.map((row) => (
        <tr
          role="row"
          key={rowKey(row)}
          class={isLink ? 'leads' : undefined}
          data-changed={marked.has(rowKey(row)) ? '' : undefined}
          onClick={(event) => open(event, latest.current.href?.(row))}
        >
          {columns.map((column) => (
            <td role="cell" key={column.id} data-label={column.title} class={cellClass(column)}>
              {column.isMain && isLink ? (
                <a class="row-link" href={latest.current.href?.(row) ?? ''}>
                  {column.cell(row)}
                </a>
              ) : (
                column.cell(row)
              )}
            </td>
          ))}
          {actions && (
            <td role="cell" class="row-actions">
              {actions(row)}
            </td>
          )}
        </tr>
      )),
    [list.rows, columns, marked, actions, isLink],
  );

  if (list.rows.length === 0) {
    if (list.problem) return <ProblemNote problem={list.problem} retry={list.refresh} />;
    if (list.phase === 'loading') return <Skeleton lines={8} />;
    return filtered?.is ? (
      <Empty icon="search" text={say('table.no_match')}>
        <Button onClick={filtered.clear}>{say('table.clear')}</Button>
      </Empty>
    ) : (
      <Empty text={empty} />
    );
  }

  const onKeyDown = (event: KeyboardEvent) => {
    const links = [...(body.current?.querySelectorAll<HTMLElement>('a.row-link') ?? [])];
    const at = links.indexOf(document.activeElement as HTMLElement);
    if (at < 0) return;
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: links.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    if (to === links.length) list.more?.();
    links[Math.min(links.length - 1, Math.max(0, to))]?.focus();
  };
  return (
    <div class="data-table">
      {list.problem && list.phase !== 'offline' && <ProblemNote problem={list.problem} retry={list.refresh} />}
      <div class="table-frame">
        <table role="table" aria-label={label} aria-busy={isWaiting || undefined}>
          <thead role="rowgroup">
            <tr role="row">
              {columns.map((column) => (
                <Head
                  key={column.id}
                  column={column}
                  sort={sort}
                  choose={(next) => setQuery({ sort: next === defaultSort ? null : next })}
                />
              ))}
              {actions && <th role="columnheader" class="row-actions" aria-label=" " />}
            </tr>
          </thead>
          <tbody ref={body} role="rowgroup" onKeyDown={onKeyDown}>
            {rows}
          </tbody>
        </table>
      </div>
      <footer class="table-foot">
        <span class="quiet small">
          {list.total !== null && list.total > list.rows.length
            ? say('table.of', { shown: count(list.rows.length), total: count(list.total) })
            : say('table.count', { count: list.rows.length, number: count(list.rows.length) + (list.more ? '+' : '') })}
        </span>
        {list.more && (
          <Button busy={list.isLoadingMore} onClick={list.more}>
            {say(list.isLoadingMore ? 'table.loading_more' : 'table.more')}
          </Button>
        )}
        {exportAs && props.list.at !== null && <ExportButton name={exportAs} at={props.list.at} columns={columns} />}
      </footer>
    </div>
  );
}

/** A click on a row leads where its link does. */
function open(event: MouseEvent, to: string | undefined): void {
  const isOnControl = event.target instanceof Element && event.target.closest('a, button, input, label');
  if (to !== undefined && !isOnControl && !getSelection()?.toString()) follow(to);
}

/** The list; while another order or filter is on its way, the rows before: they are taken away when there are others. */
function useShown<Row>(list: Listing<Row>): Listing<Row> {
  const last = useRef(list);
  if (list.phase !== 'loading' || list.rows.length > 0 || last.current.rows.length === 0) last.current = list;
  return last.current;
}

function cellClass<Row>({ align, isMain, isExtra }: Column<Row>): string {
  return [align === 'end' && 'end', isMain && 'main-cell', isExtra && 'extra'].filter(Boolean).join(' ');
}

function Head<Row>({ column, sort, choose }: { column: Column<Row>; sort: string; choose: (sort: string) => void }) {
  const { say } = useTongue();
  const { title, sort: field } = column;
  if (!field) {
    return (
      <th role="columnheader" scope="col" class={cellClass(column)}>
        {title}
      </th>
    );
  }
  const direction = sort === field ? 'ascending' : sort === `-${field}` ? 'descending' : 'none';
  return (
    <th role="columnheader" scope="col" class={cellClass(column)} aria-sort={direction}>
      <button
        type="button"
        class="sort"
        title={say('table.sort', { column: title })}
        onClick={() => choose(direction === 'ascending' ? `-${field}` : field)}
      >
        {title}
        {direction !== 'none' && <Icon name={direction === 'ascending' ? 'up' : 'down'} />}
      </button>
    </th>
  );
}
