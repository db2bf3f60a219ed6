import type { ComponentChildren } from 'preact';

/** Names and values of one record. What is empty shows a dash, so that nobody looks for it. */
export function Details({ title, rows }: { title?: string; rows: readonly (readonly [string, ComponentChildren])[] }) {
  return (
    <section class="card details">
      {title && <h2>{title}</h2>}
      <dl>
        {rows.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value === '' || value === null || value === undefined ? <span class="quiet">–</span> : value}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
