/** SQL to read: a clause a line, its words set apart. */

const CLAUSES = /\s+(?=(?:FROM|WHERE|(?:LEFT |INNER |FULL |CROSS )?(?:OUTER )?JOIN|GROUP BY|HAVING|ORDER BY|LIMIT|VALUES|SET|RETURNING|UNION|ON CONFLICT)\b)/g;
const WORDS = /\b(SELECT|DISTINCT|FROM|WHERE|LEFT|INNER|OUTER|FULL|CROSS|JOIN|ON|GROUP BY|HAVING|ORDER BY|LIMIT|OFFSET|VALUES|SET|RETURNING|UNION|ALL|CONFLICT|INSERT INTO|UPDATE|DELETE|CREATE|DROP|UNIQUE|INDEX|CONCURRENTLY|IF NOT EXISTS|IF EXISTS|AND|OR|NOT|IN|IS|NULL|AS|LIKE|BETWEEN|CASE|WHEN|THEN|ELSE|END|EXISTS|WITH|DESC|ASC|INCLUDE)\b/;

export function Sql({ text }: { text: string }) {
  return (
    <pre class="insight-sql" tabIndex={0} role="region" aria-label="SQL">
      <code>{broken(text).split(WORDS).map((part, index) => (index % 2 ? <b key={index}>{part}</b> : part))}</code>
    </pre>
  );
}

/** `text` with each clause on a line of its own. Pure. */
export function broken(text: string): string {
  return text.trim().replace(/([<>!]) =/g, '$1=').replace(CLAUSES, '\n');
}
