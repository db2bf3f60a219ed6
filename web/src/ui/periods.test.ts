import { expect, it } from 'vitest';
import { companyToday, periodOf } from './periods';

it('knows whole months, quarters and years', () => {
  expect(periodOf('month', '2028-02-10')).toEqual({ from: '2028-02-01', to: '2028-02-29' });
  expect(periodOf('last_month', '2026-01-31')).toEqual({ from: '2025-12-01', to: '2025-12-31' });
  expect(periodOf('quarter', '2026-05-01')).toEqual({ from: '2026-04-01', to: '2026-06-30' });
  expect(periodOf('year', '2026-11-26')).toEqual({ from: '2026-01-01', to: '2026-12-31' });
});

it('takes the day from the company’s clock', () => {
  expect(companyToday(new Date('2026-06-30T22:30:00Z'))).toBe('2026-07-01');
});
