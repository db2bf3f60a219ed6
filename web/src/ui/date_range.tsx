import { useQuery } from '../app/router';
import { useTongue } from '../words/tongue';
import { companyToday, periodOf, PRESETS } from './periods';

/** From and to in the query string, with the periods one asks for often. */
export function DateRange({ from = 'from', to = 'to' }: { from?: string; to?: string }) {
  const { say } = useTongue();
  const [query, setQuery] = useQuery();
  const set = { from: query.get(from) ?? '', to: query.get(to) ?? '' };
  const today = companyToday();
  const chosen = PRESETS.find((preset) => {
    const period = periodOf(preset, today);
    return period.from === set.from && period.to === set.to;
  });
  return (
    <fieldset class="date-range">
      <label>
        <span>{say('filter.from')}</span>
        <input type="date" value={set.from} max={set.to || undefined} onChange={(event) => setQuery({ [from]: event.currentTarget.value || null })} />
      </label>
      <label>
        <span>{say('filter.to')}</span>
        <input type="date" value={set.to} min={set.from || undefined} onChange={(event) => setQuery({ [to]: event.currentTarget.value || null })} />
      </label>
      <span class="segments">
        {PRESETS.map((preset) => (
          <button
            type="button"
            key={preset}
            aria-pressed={preset === chosen}
            onClick={() => {
              const period = periodOf(preset, today);
              setQuery(preset === chosen ? { [from]: null, [to]: null } : { [from]: period.from, [to]: period.to });
            }}
          >
            {say(`filter.preset.${preset}`)}
          </button>
        ))}
      </span>
    </fieldset>
  );
}
