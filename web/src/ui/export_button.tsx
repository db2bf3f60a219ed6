import { useState } from 'preact/hooks';
import { asProblem } from '../api/problem';
import { api } from '../session/current';
import { useTongue } from '../words/tongue';
import { Button } from './button';
import { csvOf, saveFile } from './csv';
import type { Column } from './data_table';
import { titleOf } from './problem_note';
import { toast } from './toast';

const PAGE_ROWS = 500;
/** More than any list of ours; a file of this size still opens in a spreadsheet. */
const MAX_ROWS = 100_000;

interface Page<Row> {
  data: readonly Row[];
  page: { next: string | null };
}

/** Saves all rows of a list, page by page, as it is filtered and sorted; says how far it is. */
export function ExportButton<Row>({ name, at, columns }: { name: string; at: string; columns: readonly Column<Row>[] }) {
  const { say, count } = useTongue();
  const [done, setDone] = useState<number | null>(null);
  const save = async () => {
    const written = columns.filter((column) => column.text !== undefined);
    const rows: Row[] = [];
    setDone(0);
    try {
      let cursor: string | null = null;
      do {
        const url: URL = new URL(at, location.href);
        url.searchParams.set('limit', String(PAGE_ROWS));
        if (cursor !== null) url.searchParams.set('cursor', cursor);
        const answer = await api.send('GET', url.pathname + url.search);
        const page = (await answer.json()) as Page<Row>;
        rows.push(...page.data);
        cursor = page.page.next;
        setDone(rows.length);
      } while (cursor !== null && rows.length < MAX_ROWS);
      const head = written.map((column) => column.title);
      saveFile(`${name}.csv`, csvOf(head, rows.map((row) => written.map((column) => column.text?.(row)))));
      toast(say('table.exported', { count: rows.length, number: count(rows.length) }));
    } catch (error) {
      toast(say(titleOf(asProblem(error))), { isProblem: true });
    } finally {
      setDone(null);
    }
  };
  return (
    <Button kind="bare" icon="download" busy={done !== null} title={say('table.export.title')} onClick={() => void save()}>
      {done === null ? say('table.export') : say('table.exporting', { number: count(done) })}
    </Button>
  );
}
