import { describe, expect, it } from 'vitest';
import { isPeriod, kindOf, spanAt, stepped } from './spans';

describe('periods', () => {
  it('are whole months, quarters and years', () => {
    expect(spanAt('month', '2024-02-10')).toEqual({ from: '2024-02-01', to: '2024-02-29' });
    expect(spanAt('quarter', '2026-05-31')).toEqual({ from: '2026-04-01', to: '2026-06-30' });
    expect(spanAt('year', '2026-05-31')).toEqual({ from: '2026-01-01', to: '2026-12-31' });
  });

  it('are known by their days', () => {
    expect(kindOf({ from: '2026-02-01', to: '2026-02-28' })).toBe('month');
    expect(kindOf({ from: '2026-01-01', to: '2026-03-31' })).toBe('quarter');
    expect(kindOf({ from: '2026-01-01', to: '2026-12-31' })).toBe('year');
    expect(kindOf({ from: '2026-01-01', to: '2026-02-28' })).toBe('free');
  });

  it('go on by their own length, over the turn of the year', () => {
    expect(stepped({ from: '2026-01-01', to: '2026-01-31' }, -1)).toEqual({ from: '2025-12-01', to: '2025-12-31' });
    expect(stepped({ from: '2026-10-01', to: '2026-12-31' }, 1)).toEqual({ from: '2027-01-01', to: '2027-03-31' });
    expect(stepped({ from: '2026-03-02', to: '2026-03-08' }, -1)).toEqual({ from: '2026-02-23', to: '2026-03-01' });
  });

  it('are two days in order', () => {
    expect(isPeriod('2026-01-01', '2026-01-01')).toBe(true);
    expect(isPeriod('2026-01-02', '2026-01-01')).toBe(false);
    expect(isPeriod('2026-13-02', '2026-14-01')).toBe(false);
    expect(isPeriod(undefined, '2026-01-01')).toBe(false);
  });
});
