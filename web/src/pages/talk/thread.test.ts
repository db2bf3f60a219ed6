import { expect, test } from 'vitest';
import { byDay, merged, stillPending, withLinks, type Told } from './thread';

const said = (id: number, more: Partial<Told> = {}): Told => ({ id, user: { id: 1, name: 'Ada' }, text: `m${id}`, at: '2026-03-02T09:00:00Z', ...more });

test('each message stands once, in the order of its id, whatever came first', () => {
  const known = merged([], [said(3), said(1)]);
  expect(merged(known, [said(2), said(3)]).map(({ id }) => id)).toEqual([1, 2, 3]);
});

test('an edit and a deletion win over what they changed, also if that comes later', () => {
  const edited = said(1, { text: 'right', editedAt: '2026-03-02T09:01:00Z', version: 2 });
  expect(merged(merged([], [edited]), [said(1)])[0]?.text).toBe('right');
  const gone = said(1, { text: '', deleted: true });
  expect(merged(merged([], [gone]), [edited])[0]?.deleted).toBe(true);
  expect(merged(merged([], [said(1)]), [edited])[0]?.version).toBe(2);
});

test('what came back as a message is no longer on its way, each once', () => {
  const pending = ['a', 'b'].map((key) => ({ key, text: 'yes', at: '2026-03-02T09:00:01Z', refusal: null }));
  const messages = merged([], [said(7, { text: 'yes' })]);
  expect(stillPending(pending, messages, 1).map(({ key }) => key)).toEqual(['b']);
  expect(stillPending(pending, messages, 2)).toHaveLength(2);
  expect(stillPending([{ ...pending[0]!, refusal: 'too fast' }], messages, 1)).toHaveLength(1);
});

test('days and goes', () => {
  const messages = merged([], [
    said(1, { at: '2026-03-02T09:00:00' }),
    said(2, { at: '2026-03-02T09:01:00' }),
    said(3, { at: '2026-03-02T09:02:00', user: { id: 2, name: 'Bo' } }),
    said(4, { at: '2026-03-02T12:00:00', user: { id: 2, name: 'Bo' } }),
    said(5, { at: '2026-03-03T00:00:00', user: { id: 2, name: 'Bo' } }),
  ]);
  const days = byDay(messages);
  expect(days.map(({ day }) => day)).toEqual(['2026-03-02', '2026-03-03']);
  expect(days[0]?.groups.map((group) => group.messages.map(({ id }) => id))).toEqual([[1, 2], [3], [4]]);
});

test('only http and https are links', () => {
  expect(withLinks('see https://example.com/a?b=1. javascript:alert(1) (http://x.de)')).toEqual([
    { text: 'see ', href: null },
    { text: 'https://example.com/a?b=1', href: 'https://example.com/a?b=1' },
    { text: '. javascript:alert(1) (', href: null },
    { text: 'http://x.de', href: 'http://x.de' },
    { text: ')', href: null },
  ]);
});
