import { expect, it } from 'vitest';
import { csvCell, csvOf } from './csv';

it('quotes what needs it and disarms what a spreadsheet would compute', () => {
  expect(csvOf(['Name', 'Open'], [['Stein, "Granit"', 12.5], ['=1+1', -3], [null, 0]])).toBe(
    'Name,Open\r\n"Stein, ""Granit""",12.5\r\n\'=1+1,-3\r\n,0\r\n',
  );
  expect(csvCell('a\nb')).toBe('"a\nb"');
});
