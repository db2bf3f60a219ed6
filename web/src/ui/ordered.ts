import type { CsvCell } from './csv';

/** `rows` by the column that `sort` names; what has no value comes last. Pure. */
export function ordered<Row>(rows: readonly Row[], columns: readonly { id: string; value?: (row: Row) => CsvCell }[], sort: string): Row[] {
  const isDown = sort.startsWith('-');
  const value = columns.find((column) => column.id === sort.slice(isDown ? 1 : 0))?.value;
  if (!value) return [...rows];
  const empty = (cell: CsvCell) => cell === null || cell === undefined || cell === '';
  return [...rows].sort((one, other) => {
    const [a, b] = [value(one), value(other)];
    if (empty(a) || empty(b)) return Number(empty(a)) - Number(empty(b));
    const order = typeof a === 'number' && typeof b === 'number' ? a - b : String(a).localeCompare(String(b));
    return isDown ? -order : order;
  });
}
