import { expect, test } from 'vitest';
import { ordered } from './ordered';

const columns = [{ id: 'n', value: (row: { n: number | null; s: string }) => row.n }, { id: 's', value: (row: { n: number | null; s: string }) => row.s }];
const rows = [{ n: 2, s: 'b' }, { n: null, s: 'c' }, { n: 10, s: 'a' }];

test('figures are ordered as numbers, and what has none comes last either way', () => {
  expect(ordered(rows, columns, '-n').map((row) => row.n)).toEqual([10, 2, null]);
  expect(ordered(rows, columns, 'n').map((row) => row.n)).toEqual([2, 10, null]);
  expect(ordered(rows, columns, 's').map((row) => row.s)).toEqual(['a', 'b', 'c']);
});

test('an order by nothing that is known is the order given', () => {
  expect(ordered(rows, columns, 'unknown')).toEqual(rows);
});
