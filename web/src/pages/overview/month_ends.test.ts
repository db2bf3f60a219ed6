import { expect, it } from 'vitest';
import { monthEnds } from './month_ends';

it('knows how long months are, over the turn of a year', () => {
  expect(monthEnds('2028-03-14', 4)).toEqual(['2027-11-30', '2027-12-31', '2028-01-31', '2028-02-29']);
});
