import { expect, test } from 'vitest';
import { matchedParts } from './marked';

const marked = (text: string, search: string) =>
  matchedParts(text, search).map((part) => (part.isMatch ? `[${part.text}]` : part.text)).join('');

test('marks the beginnings of words', () => {
  expect(marked('Neu anlegen', 'anl neu')).toBe('[Neu] [anl]egen');
  expect(marked('Kontokorrent (Konto)', 'konto')).toBe('[Konto]korrent ([Konto])');
  expect(marked('Bankkonto', 'konto')).toBe('Bankkonto');
});

test('accents and case do not count, and nothing is sought by nothing', () => {
  expect(marked('Übersicht', 'uber')).toBe('[Über]sicht');
  expect(marked('Übersicht', 'ÜB')).toBe('[Üb]ersicht');
  expect(marked('Übersicht', ' . ')).toBe('Übersicht');
  expect(marked('', 'x')).toBe('');
});
