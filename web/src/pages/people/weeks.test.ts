import { expect, test } from 'vitest';
import { aWeekLater, minuteOf, moved } from './weeks';

test('days are moved over months and years', () => {
  expect(moved('2026-02-27', 7)).toBe('2026-03-06');
  expect(moved('2026-01-01', -7)).toBe('2025-12-25');
});

test.each([
  ['8', 480],
  ['8:30', 510],
  ['0830', 510],
  ['8.05', 485],
  ['24:00', 1440],
  ['24:01', null],
  ['8:60', null],
  ['', null],
  ['soon', null],
])('%s is the minute %s', (text, minute) => expect(minuteOf(text)).toBe(minute));

test('a week is copied where nothing is and not ahead of today', () => {
  const before = [
    { date: '2026-03-02', startMinute: 480, endMinute: 720 },
    { date: '2026-03-03', startMinute: 480, endMinute: 720 },
    { date: '2026-03-06', startMinute: 480, endMinute: 720 },
  ];
  const there = [
    { date: '2026-03-09', startMinute: 720, endMinute: 800 },
    { date: '2026-03-10', startMinute: 700, endMinute: 800 },
  ];
  expect(aWeekLater(before, there, '2026-03-12').map(({ date }) => date)).toEqual(['2026-03-09']);
});
