import { expect, test } from 'vitest';
import { latest, perSecond, seriesOf, sumsOf } from './figures';

const all = { key: null, count: [60, 0, 5], errors: [1, 0, 0], slow: [0, 0, 2], avgTime: [], p50: [], p95: [12, null, 8], p99: [] };
const history = { times: [0, 60, 120], seconds: [60, 60, 10], series: [all] };

test('rates are of the time that a stretch has lasted, the open one included', () => {
  expect(perSecond(history, all)).toEqual([1, 0, 0.5]);
  expect(sumsOf(history, all)).toEqual({ count: 65, errors: 1, slow: 2, perSecond: 0.5 });
});

test('the last value is the last that there is', () => {
  expect(latest([12, null, 8, null])).toBe(8);
  expect(latest([null])).toBeNull();
});

test('what was not asked for has no figures', () => {
  expect(seriesOf(history, 'GET /nowhere').count).toEqual([]);
  expect(seriesOf(undefined).count).toEqual([]);
});
