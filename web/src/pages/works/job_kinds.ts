/** The kinds of jobs that people begin, and the least role for each. */

export const KINDS = ['export', 'customers.import', 'invoices.recalculate', 'report.month-end'] as const;
export type JobKind = (typeof KINDS)[number];

export const NEEDS: Record<JobKind, 'clerk' | 'manager'> = {
  'export': 'clerk',
  'customers.import': 'clerk',
  'invoices.recalculate': 'manager',
  'report.month-end': 'manager',
};

export interface JobValues {
  kind: JobKind;
  subject: 'customers' | 'invoices' | 'payments' | 'journal';
  csv: string;
  month: string;
  format: 'csv' | 'json';
}

/** What the API is told of `values` for its kind. Pure. */
export function parametersOf({ kind, subject, csv, month, format }: JobValues): Record<string, unknown> {
  switch (kind) {
    case 'export':
      return { subject };
    case 'customers.import':
      return { csv };
    case 'invoices.recalculate':
      return {};
    case 'report.month-end':
      return { month, format };
  }
}

/** How many rows stand below the header of a CSV, empty lines left out; lines within quotes count once. */
export function rowsOf(csv: string): number {
  let isQuoted = false;
  let isEmpty = true;
  let rows = 0;
  for (const letter of `${csv}\n`) {
    if (letter === '"') isQuoted = !isQuoted;
    if (letter === '\n' && !isQuoted) {
      if (!isEmpty) rows++;
      isEmpty = true;
    } else if (letter.trim()) isEmpty = false;
  }
  return Math.max(0, rows - 1);
}
