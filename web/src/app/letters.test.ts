import { expect, it } from 'vitest';
import { matches } from './letters';

it('finds a title by the beginnings of its words, without accents', () => {
  expect(matches('uber', 'Übersicht')).toBe(true);
  expect(matches('neu ku', 'Neuer Kunde')).toBe(true);
  expect(matches('kunde x', 'Neuer Kunde')).toBe(false);
  expect(matches('', 'Kunden')).toBe(true);
});
