import { expect, test } from 'vitest';
import { ratesOf } from './samples';

test('counters become rates by the time between two looks', () => {
  const { times, rates, counters } = ratesOf([
    { at: 100, counters: [10, 5] },
    { at: 102, counters: [30, 5] },
    { at: 104, counters: [2, 6] },
  ]);
  expect(times).toEqual([102, 104]);
  expect(rates).toEqual([
    [10, null],
    [0, 0.5],
  ]);
  expect(counters[0]).toEqual([30, 2]);
});

test('of one look there is no rate', () => {
  expect(ratesOf([{ at: 1, counters: [1] }]).times).toEqual([]);
  expect(ratesOf([]).rates).toEqual([]);
});
