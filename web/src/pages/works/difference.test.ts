import { expect, test } from 'vitest';
import { beginOf, dayAfter, differencesOf, spelled } from './difference';

test('names what changed, came and went, and leaves out what is the same', () => {
  expect(differencesOf({ status: 'sent', gone: 1, same: true }, { status: 'paid', same: true, new: null })).toEqual([
    { path: 'status', before: 'sent', after: 'paid' },
    { path: 'gone', before: 1, after: undefined },
    { path: 'new', before: undefined, after: null },
  ]);
});

test('goes through lists and records within', () => {
  expect(differencesOf({ items: [{ text: 'a' }] }, { items: [{ text: 'b' }, { text: 'c' }] })).toEqual([
    { path: 'items.1.text', before: 'a', after: 'b' },
    { path: 'items.2.text', before: undefined, after: 'c' },
  ]);
  expect(differencesOf(null, { id: 1, tags: [] })).toEqual([
    { path: 'id', before: undefined, after: 1 },
    { path: 'tags', before: undefined, after: null },
  ]);
});

test('spells names as words', () => {
  expect(spelled('unitPriceCents')).toBe('Unit price');
  expect(spelled('entity_id')).toBe('Entity id');
});

test('a day begins at midnight in Berlin, in summer and in winter', () => {
  expect(beginOf('2026-01-15')).toBe('2026-01-14T23:00:00Z');
  expect(beginOf('2026-07-15')).toBe('2026-07-14T22:00:00Z');
  expect(beginOf('2026-03-29')).toBe('2026-03-28T23:00:00Z');
  expect(beginOf('2026-03-30')).toBe('2026-03-29T22:00:00Z');
  expect(beginOf('2026-10-25')).toBe('2026-10-24T22:00:00Z');
  expect(dayAfter('2026-12-31')).toBe('2027-01-01');
});
