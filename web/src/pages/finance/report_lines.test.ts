import { expect, it } from 'vitest';
import { compared } from './report_lines';

const line = (accountId: number, number: string, amountCents: number) => ({ accountId, number, name: number, amountCents });

it('an account of either period stands once, by number', () => {
  const lines = compared([line(2, '8400', 50), line(1, '8300', 7)], [line(3, '8120', 9), line(2, '8400', 40)]);
  expect(lines.map(({ number, cents, beforeCents }) => [number, cents, beforeCents])).toEqual([
    ['8120', 0, 9],
    ['8300', 7, 0],
    ['8400', 50, 40],
  ]);
});
