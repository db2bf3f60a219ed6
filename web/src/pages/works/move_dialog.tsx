import { useState } from 'preact/hooks';
import { asProblem, type Problem } from '../../api/problem';
import type { NodeDetail } from '../../api/types';
import { useAnswer } from '../../live/use_answer';
import { api } from '../../session/current';
import { Button } from '../../ui/button';
import { Combobox, type Choice } from '../../ui/combobox';
import { Dialog } from '../../ui/dialog';
import { Field } from '../../ui/field';
import { ProblemNote } from '../../ui/problem_note';
import { toast } from '../../ui/toast';
import { useTongue } from '../../words/tongue';
import type { FunctionsStore } from './functions_store';

const FEW = 12;

interface Props {
  node: NodeDetail;
  store: FunctionsStore;
  onClose: () => void;
}

/** Gives a function another parent or place; what is below goes with it, and the move can be undone. */
export function MoveDialog({ node, store, onClose }: Props) {
  const { say } = useTongue();
  const parent = node.trail.at(-1) ?? null;
  const [target, setTarget] = useState<Choice<string> | null>(parent);
  const [isArea, setArea] = useState(node.parentId === null);
  const [place, setPlace] = useState('');
  const [problem, setProblem] = useState<Problem | null>(null);
  const [isBusy, setBusy] = useState(false);
  const parentId = isArea ? null : (target?.id ?? null);
  const below = useAnswer('/api/functions/nodes/{node_id}/children', parentId === null ? null : { path: { node_id: parentId } });
  const areas = useAnswer('/api/functions', isArea ? {} : null);
  const siblings = ((isArea ? areas.body?.data : below.body?.data) ?? []).filter((one) => one.id !== node.id);

  const move = async () => {
    setBusy(true);
    setProblem(null);
    const after = siblings.find((one) => one.id === place);
    const position = place === 'first' ? (siblings[0]?.position ?? 0) : after ? after.position + 1 : null;
    try {
      // The tree knows of a change of our own before the record's answer does, and it shows what a move is about.
      const { data } = await api.post('/api/functions/nodes/{node_id}/move', {
        path: { node_id: node.id },
        body: { version: Math.max(node.version, store.tree.get(node.id)?.version ?? 0), parentId, position },
      });
      store.put(data);
      toast(say('functions.moved', { title: node.title }), { undo: () => void takeBack(data.version) });
      onClose();
    } catch (error) {
      setProblem(asProblem(error));
      setBusy(false);
    }
  };
  const takeBack = async (version: number) => {
    try {
      const { data } = await api.post('/api/functions/nodes/{node_id}/move', {
        path: { node_id: node.id },
        body: { version, parentId: node.parentId, position: node.position },
      });
      store.put(data);
    } catch (error) {
      toast(asProblem(error).detail, { isProblem: true });
    }
  };

  return (
    <Dialog
      title={say('functions.move.title', { title: node.title })}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>{say('form.cancel')}</Button>
          <Button kind="primary" busy={isBusy || (!isArea && target === null)} onClick={() => void move()}>
            {say('functions.move')}
          </Button>
        </>
      }
    >
      {problem && <ProblemNote problem={problem} />}
      <label class="move-area">
        <input type="checkbox" checked={isArea} onChange={(event) => setArea(event.currentTarget.checked)} />
        {say('functions.move.area')}
      </label>
      {!isArea && (
        <Combobox
          label={say('functions.move.below')}
          value={target}
          choose={setTarget}
          required
          search={async (text, signal) => {
            if (text.trim() === '') {
              const { data } = await api.get('/api/functions', { signal });
              return data.map((area) => ({ id: area.id, title: area.title }));
            }
            const { data } = await api.get('/api/functions/search', { query: { q: text, limit: FEW }, signal });
            return data
              .filter((hit) => hit.id !== node.id && !hit.trail.some((step) => step.id === node.id))
              .map((hit) => ({ id: hit.id, title: hit.title, note: hit.trail.map((step) => step.title).join(' › ') }));
          }}
        />
      )}
      <Field label={say('functions.move.place')}>
        {(tied) => (
          <select {...tied} value={place} onChange={(event) => setPlace(event.currentTarget.value)}>
            <option value="">{say('functions.move.last')}</option>
            <option value="first">{say('functions.move.first')}</option>
            {siblings.map((one) => (
              <option key={one.id} value={one.id}>
                {say('functions.move.after', { title: one.title })}
              </option>
            ))}
          </select>
        )}
      </Field>
    </Dialog>
  );
}
