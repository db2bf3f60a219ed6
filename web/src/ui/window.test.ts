import { expect, it } from 'vitest';
import { windowOf } from './window';

it('draws what is in sight and a little more, however long the list', () => {
  const { first, last } = windowOf(320_000, 800, 32, 15_000);
  expect(first).toBeLessThanOrEqual(10_000);
  expect(last).toBeGreaterThanOrEqual(10_025);
  expect(last - first).toBeLessThanOrEqual(45);
  expect(windowOf(0, 800, 32, 3)).toEqual({ first: 0, last: 3 });
  expect(windowOf(0, 800, 32, 0)).toEqual({ first: 0, last: 0 });
});
