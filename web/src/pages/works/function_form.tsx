/** The fields of a function, for a new one and for an old one. */

import type { Kind, NodeDetail, NodeView, Role } from '../../api/types';
import { go } from '../../app/router';
import { useAnswer } from '../../live/use_answer';
import { api, may } from '../../session/current';
import { SelectField, TextField } from '../../ui/field';
import { Form } from '../../ui/form';
import { toast } from '../../ui/toast';
import { useForm, type Form as FormState } from '../../ui/use_form';
import { useTongue } from '../../words/tongue';
import { functionAddress } from './function_address';
import { Trail } from './function_detail';
import type { FunctionsStore } from './functions_store';

type Values = Pick<NodeView, 'title' | 'icon' | 'kind' | 'minRole' | 'description'>;

const KINDS: readonly Kind[] = ['category', 'group', 'record', 'workflow', 'report', 'dataset', 'item'];
const NAMES = ['title', 'icon', 'kind', 'minRole', 'description'] as const;

function valuesOf({ title, icon, kind, minRole, description }: NodeView): Values {
  return { title, icon, kind, minRole, description };
}

function useLabels(): Record<keyof Values, string> {
  const { say } = useTongue();
  return Object.fromEntries(NAMES.map((name) => [name, say(`function.${name}`)])) as Record<keyof Values, string>;
}

function Fields({ form, isNew }: { form: FormState<Values>; isNew: boolean }) {
  const { say } = useTongue();
  const labels = useLabels();
  const roles: Role[] = may('admin') ? ['clerk', 'manager', 'auditor', 'admin'] : ['clerk', 'manager'];
  return (
    <>
      <TextField form={form} name="title" label={labels.title} required maxLength={200} wide autofocus={isNew} />
      <TextField form={form} name="icon" label={labels.icon} hint={say('function.icon.hint')} maxLength={16} />
      <SelectField form={form} name="kind" label={labels.kind} options={KINDS.map((kind) => ({ value: kind, title: say(`function_kind.${kind}`) }))} />
      <SelectField
        form={form}
        name="minRole"
        label={labels.minRole}
        hint={say('function.minRole.hint')}
        options={roles.map((role) => ({ value: role, title: say(`functions.seen_by.${role}`) }))}
      />
      <TextField form={form} name="description" label={labels.description} rows={4} maxLength={2000} wide />
    </>
  );
}

export function FunctionEdit({ node, store }: { node: NodeDetail; store: FunctionsStore }) {
  const { say } = useTongue();
  const labels = useLabels();
  const back = () => go(functionAddress(node.id), { replace: true });
  const form = useForm<Values>({
    name: `function.${node.id}`,
    initial: valuesOf(node),
    version: node.version,
    save: async (_, { changed, version }) => {
      const { data } = await api.patch('/api/functions/nodes/{node_id}', { path: { node_id: node.id }, body: { version, ...changed } });
      store.put(data);
      toast(say('form.saved'));
      back();
    },
    fromCurrent: (current) => {
      const record = current as NodeView;
      return { values: valuesOf(record), version: record.version };
    },
  });
  return (
    <article class="card function">
      <Trail trail={node.trail} />
      <h2>{say('functions.edit.title', { title: node.title })}</h2>
      <Form form={form} labels={labels} onCancel={back}>
        <Fields form={form} isNew={false} />
      </Form>
    </article>
  );
}

const NEW: Values = { title: '', icon: '', kind: 'group', minRole: 'clerk', description: '' };

export function FunctionNew({ below, store }: { below: string | null; store: FunctionsStore }) {
  const { say } = useTongue();
  const labels = useLabels();
  const answer = useAnswer('/api/functions/nodes/{node_id}', below === null ? null : { path: { node_id: below } });
  const parent = answer.body?.data;
  const form = useForm<Values>({
    name: `function.new.${below ?? ''}`,
    initial: below === null ? { ...NEW, kind: 'category' } : NEW,
    save: async (values) => {
      const { data } = await api.post('/api/functions/nodes', { body: { parentId: below, ...values } });
      store.put(data);
      toast(say('functions.created', { title: data.title }));
      go(functionAddress(data.id), { replace: true });
    },
  });
  return (
    <article class="card function">
      {parent && <Trail trail={[...parent.trail, { id: parent.id, title: parent.title }]} />}
      <h2>{below === null ? say('functions.new_area') : say('functions.new_below.title', { title: parent?.title ?? below })}</h2>
      <Form form={form} labels={labels} onCancel={() => go(below === null ? '/functions' : functionAddress(below), { replace: true })}>
        <Fields form={form} isNew />
      </Form>
    </article>
  );
}
