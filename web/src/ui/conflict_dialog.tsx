import { useTongue } from '../words/tongue';
import { Button } from './button';
import { Dialog } from './dialog';
import { differences, type Form, type Values } from './use_form';

/** Somebody else has changed the record: theirs beside mine, field by field, and what shall stand. */
export function ConflictDialog<V extends Values>({
  form,
  labels,
  written,
}: {
  form: Form<V>;
  labels: Partial<Record<keyof V, string>>;
  written?: (value: unknown) => string | null;
}) {
  const { say } = useTongue();
  if (!form.conflict) return null;
  const { theirs } = form.conflict;
  const shown = (value: unknown) => {
    if (typeof value === 'boolean') return say(value ? 'yes' : 'no');
    const said = written?.(value);
    if (said) return said;
    return value === null || value === undefined || value === '' ? '–' : String(value);
  };
  const fields = Object.keys(differences(theirs, form.values)) as (keyof V & string)[];
  return (
    <Dialog
      wide
      title={say('conflict.title')}
      onClose={form.dismissConflict}
      actions={
        <>
          <Button onClick={form.takeTheirs}>{say('conflict.take_theirs')}</Button>
          <Button kind="primary" busy={form.isBusy} onClick={() => void form.saveOver()}>
            {say('conflict.save_over')}
          </Button>
        </>
      }
    >
      <p>{say('conflict.lead')}</p>
      {fields.length === 0 ? (
        <p class="quiet">{say('conflict.none')}</p>
      ) : (
        <table class="plain-table conflict">
          <thead>
            <tr>
              <th scope="col">{say('conflict.field')}</th>
              <th scope="col">{say('conflict.theirs')}</th>
              <th scope="col">{say('conflict.mine')}</th>
            </tr>
          </thead>
          <tbody>
            {fields.map((field) => (
              <tr key={field}>
                <th scope="row">{labels[field] ?? field}</th>
                <td>{shown(theirs[field])}</td>
                <td>
                  <b>{shown(form.values[field])}</b>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Dialog>
  );
}
