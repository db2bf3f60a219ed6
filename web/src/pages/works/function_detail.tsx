import { useEffect, useState } from 'preact/hooks';
import type { NodeDetail } from '../../api/types';
import { go } from '../../app/router';
import { useAnswer } from '../../live/use_answer';
import { api, may, useUser } from '../../session/current';
import { AnswerView } from '../../ui/answer_view';
import { Badge } from '../../ui/badge';
import { Button } from '../../ui/button';
import { confirm } from '../../ui/confirm';
import { Moment } from '../../ui/day';
import { Details } from '../../ui/details';
import { Emoji } from '../../ui/emoji';
import { Empty } from '../../ui/empty';
import { Icon } from '../../ui/icon';
import { asProblem } from '../../api/problem';
import { titleOf } from '../../ui/problem_note';
import { toast } from '../../ui/toast';
import { useTongue } from '../../words/tongue';
import { functionAddress, newFunctionAddress } from './function_address';
import { FunctionEdit } from './function_form';
import type { FunctionsStore } from './functions_store';
import { KIND_ICONS } from './kind_icons';
import { MoveDialog } from './move_dialog';

interface Props {
  id: string | null;
  isEditing: boolean;
  store: FunctionsStore;
}

export function FunctionDetail({ id, isEditing, store }: Props) {
  const { say } = useTongue();
  const answer = useAnswer('/api/functions/nodes/{node_id}', id === null ? null : { path: { node_id: id } });
  const way = answer.body?.data.trail.map((step) => step.id).join(' ');
  useEffect(() => {
    // Also when somebody moves it: the tree opens where it lies now.
    if (id !== null && way !== undefined) void store.reveal(id, way ? way.split(' ') : []);
  }, [id, way, store]);
  if (id === null) return <Empty icon="tree" text={say('functions.choose')} />;
  if (answer.problem?.status === 404) {
    return (
      <Empty icon="info" text={say('functions.gone')}>
        <a class="button" href="/functions">
          {say('functions.to_tree')}
        </a>
      </Empty>
    );
  }
  return (
    <AnswerView answer={answer}>
      {({ data }) =>
        isEditing && may('manager') ? <FunctionEdit node={data} store={store} /> : <Shown node={data} store={store} />
      }
    </AnswerView>
  );
}

/** The way to a function, each step a link. */
export function Trail({ trail }: { trail: NodeDetail['trail'] }) {
  const { say } = useTongue();
  return (
    <nav class="trail small" aria-label={say('functions.trail')}>
      <a href="/functions">{say('nav.functions')}</a>
      {trail.map((step) => (
        <span key={step.id}>
          <span class="quiet" aria-hidden="true">
            {' › '}
          </span>
          <a href={functionAddress(step.id)}>{step.title}</a>
        </span>
      ))}
    </nav>
  );
}

function Shown({ node, store }: { node: NodeDetail; store: FunctionsStore }) {
  const { say, count } = useTongue();
  const user = useUser();
  const [isMoving, setMoving] = useState(false);
  return (
    <article class="card function">
      <Trail trail={node.trail} />
      <header class="function-head">
        <Emoji class="function-icon" text={node.icon} instead={KIND_ICONS[node.kind]} />
        <h2>{node.title}</h2>
        <Badge>{say(`function_kind.${node.kind}`)}</Badge>
      </header>
      {may('manager') && (
        <div class="function-acts">
          <a class="button" href={functionAddress(node.id, 'edit')}>
            <Icon name="edit" />
            {say('functions.edit')}
          </a>
          <a class="button" href={newFunctionAddress(node.id)}>
            <Icon name="plus" />
            {say('functions.new_below')}
          </a>
          <Button icon="compare" onClick={() => setMoving(true)}>
            {say('functions.move')}
          </Button>
          <Button kind="danger" icon="trash" onClick={() => void remove()}>
            {say('functions.delete')}
          </Button>
        </div>
      )}
      {node.description && <p>{node.description}</p>}
      <Details
        rows={[
          [say('function.minRole'), say(`functions.seen_by.${node.minRole}`)],
          [say('function.childCount'), count(node.childCount)],
          [say('function.id'), <code>{node.id}</code>],
          [say('function.source'), node.source],
          [say('function.updatedAt'), <Moment at={node.updatedAt} />],
          ...(user.role === 'admin' || user.role === 'auditor'
            ? [
                [
                  say('functions.history'),
                  <a href={`/audit?${new URLSearchParams({ entity: 'function', id: node.id }).toString()}`}>{say('functions.to_history')}</a>,
                ] as const,
              ]
            : []),
        ]}
      />
      {node.childCount > 0 && <Below id={node.id} />}
      {isMoving && <MoveDialog node={node} store={store} onClose={() => setMoving(false)} />}
    </article>
  );

  async function remove(): Promise<void> {
    const parent = node.trail.at(-1)?.id;
    let hasLeft = false;
    try {
      const doomed = { path: { node_id: node.id }, query: { version: node.version, recursive: true } };
      const would = await api.delete('/api/functions/nodes/{node_id}', { ...doomed, query: { ...doomed.query, dryRun: true } });
      const below = would.data.nodes - 1;
      const agreed = await confirm({
        title: say('functions.delete.title', { title: node.title }),
        text: below === 0 ? say('functions.delete.alone') : say('functions.delete.below', { count: below, number: count(below) }),
        act: say('functions.delete'),
        isDanger: true,
      });
      if (!agreed) return;
      // Its page is left first: what it shows is gone at the commit, and would be asked for in vain.
      hasLeft = true;
      go(parent ? functionAddress(parent) : '/functions', { replace: true });
      const { data } = await api.delete('/api/functions/nodes/{node_id}', doomed);
      toast(say('functions.deleted', { count: data.nodes, number: count(data.nodes) }));
    } catch (error) {
      if (hasLeft) go(functionAddress(node.id), { replace: true });
      toast(`${say(titleOf(asProblem(error)))}. ${asProblem(error).detail}`, { isProblem: true });
    }
  }
}

function Below({ id }: { id: string }) {
  const { say, count } = useTongue();
  const answer = useAnswer('/api/functions/nodes/{node_id}/children', { path: { node_id: id } });
  return (
    <section class="functions-below">
      <h3>{say('functions.below')}</h3>
      <AnswerView answer={answer}>
        {({ data }) => (
          <ul>
            {data.map((child) => (
              <li key={child.id}>
                <a href={functionAddress(child.id)}>
                  <Emoji class="twig-icon" text={child.icon} instead={KIND_ICONS[child.kind]} />
                  {child.title}
                </a>
                {child.childCount > 0 && <span class="quiet small number"> {count(child.childCount)}</span>}
              </li>
            ))}
          </ul>
        )}
      </AnswerView>
    </section>
  );
}
