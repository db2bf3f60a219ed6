import { describe, expect, it } from 'vitest';
import { readNumber } from './number';

describe('a number as somebody types it', () => {
  it.each([
    ['1234,56', 100, 123456],
    ['1.234,56', 100, 123456],
    ['1,234.56', 100, 123456],
    ['1 234,5 €', 100, 123450],
    ['1.234', 100, 123400],
    ['0,5', 1000, 500],
    ['1,125', 1000, 1125],
    ['-12', 100, -1200],
    ['\u221212,30', 100, -1230],
    ['14', 1, 14],
  ])('reads %s in units of %d as %d', (text, units, value) => {
    expect(readNumber(text, units)).toBe(value);
  });
  it.each(['', 'x', '1,2x', '--1'])('knows that %j is none', (text) => {
    expect(readNumber(text, 100)).toBeNull();
  });
});
