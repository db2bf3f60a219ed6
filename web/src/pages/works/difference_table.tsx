import type { Phrase } from '../../words';
import { useTongue } from '../../words/tongue';
import { differencesOf, spelled, type Difference, type Member } from './difference';

type State = Record<string, unknown> | null;

/** What was, beside what became of it. */
export function DifferenceTable({ entity, before, after }: { entity: string; before: State; after: State }) {
  const { say } = useTongue();
  const { nameOf, write } = useWriting(entity);
  const differences = differencesOf(before, after);
  if (differences.length === 0) return <p class="quiet">{say('audit.no_difference')}</p>;
  return (
    <table class="plain-table differences">
      <thead>
        <tr>
          <th scope="col">{say('audit.field')}</th>
          {before && <th scope="col">{say('audit.before')}</th>}
          {after && <th scope="col">{say('audit.after')}</th>}
        </tr>
      </thead>
      <tbody>
        {differences.map((one) => (
          <tr key={one.path}>
            <th scope="row">{nameOf(one.path)}</th>
            {before && <td>{one.before === undefined ? <Nothing /> : <del>{write(one.path, one.before)}</del>}</td>}
            {after && <td>{one.after === undefined ? <Nothing /> : <ins>{write(one.path, one.after)}</ins>}</td>}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Nothing() {
  return <span class="quiet">–</span>;
}

/** The differences in one line: a few of them, and how many more there are. */
export function DifferenceLine({ entity, before, after }: { entity: string; before: State; after: State }) {
  const { say } = useTongue();
  const { nameOf, write } = useWriting(entity);
  const differences = differencesOf(before, after);
  const shown = differences.slice(0, 2);
  const one = ({ path, before: was, after: is }: Difference) =>
    was === undefined || is === undefined || before === null || after === null
      ? `${nameOf(path)} ${write(path, is ?? was ?? null)}`
      : `${nameOf(path)} ${write(path, was)} → ${write(path, is)}`;
  return (
    <span class="difference-line quiet">
      {shown.map(one).join(' · ')}
      {differences.length > shown.length && ` ${say('audit.and_more', { count: differences.length - shown.length })}`}
    </span>
  );
}

/** How names and values of a record are written. */
function useWriting(entity: string): { nameOf: (path: string) => string; write: (path: string, value: Member) => string } {
  const { say, knows, money, count, date, moment } = useTongue();
  const known = (...words: string[]): Phrase | undefined => words.find((word): word is Phrase => knows(word));
  return {
    nameOf(path) {
      const named = path.split('.').map((name) => {
        if (/^\d+$/.test(name)) return name;
        const phrase = known(`${entity}.${name}`, `audit_field.${name}`);
        return phrase ? say(phrase) : spelled(name);
      });
      return named.join(' · ');
    },
    write(path, value) {
      const name = path.slice(path.lastIndexOf('.') + 1);
      if (value === null || value === '') return '–';
      if (typeof value === 'boolean') return say(value ? 'yes' : 'no');
      if (typeof value === 'number') return /Cents$/.test(name) ? money(value, 'EUR') : /[iI]d$|year|version/.test(name) ? String(value) : count(value);
      const phrase = known(`${entity}_${name}.${value}`, `role.${name === 'minRole' || name === 'role' ? value : ''}`);
      if (phrase) return say(phrase);
      if (/^\d{4}-\d\d-\d\d$/.test(value)) return date(value);
      if (/^\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:\d\d)$/.test(value)) return moment(new Date(value));
      return value;
    },
  };
}
