import { expect, test } from 'vitest';
import { parametersOf, rowsOf, type JobValues } from './job_kinds';

const VALUES: JobValues = { kind: 'export', subject: 'invoices', csv: 'name\nA', month: '2026-02', format: 'csv' };

test('each kind is told what is its own', () => {
  expect(parametersOf(VALUES)).toEqual({ subject: 'invoices' });
  expect(parametersOf({ ...VALUES, kind: 'customers.import' })).toEqual({ csv: 'name\nA' });
  expect(parametersOf({ ...VALUES, kind: 'invoices.recalculate' })).toEqual({});
  expect(parametersOf({ ...VALUES, kind: 'report.month-end' })).toEqual({ month: '2026-02', format: 'csv' });
});

test('rows are counted below the header, across quotes', () => {
  expect(rowsOf('')).toBe(0);
  expect(rowsOf('name;city\n')).toBe(0);
  expect(rowsOf('name;city\r\nA;B\r\n\r\n"two\nlines";C')).toBe(2);
});
