import { expect, test } from 'vitest';
import { typedAhead } from './type_ahead';

const TEXTS = ['Einkauf', 'Finanzen', 'Fertigung', 'Übersicht', 'Flotte'];

test('one letter goes from one to the next and round', () => {
  expect(typedAhead(TEXTS, 'f', 0)).toBe(1);
  expect(typedAhead(TEXTS, 'ff', 1)).toBe(2);
  expect(typedAhead(TEXTS, 'f', 4)).toBe(1);
});

test('several letters find what they begin, here first', () => {
  expect(typedAhead(TEXTS, 'fe', 2)).toBe(2);
  expect(typedAhead(TEXTS, 'üb', 0)).toBe(3);
  expect(typedAhead(TEXTS, 'x', 0)).toBeNull();
  expect(typedAhead(TEXTS, ' ', 0)).toBeNull();
});
