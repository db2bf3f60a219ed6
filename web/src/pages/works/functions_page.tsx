import { useEffect } from 'preact/hooks';
import type { PageProps } from '../../app/pages';
import { useQuery } from '../../app/router';
import { may, useUser } from '../../session/current';
import { Icon } from '../../ui/icon';
import { PageHeader } from '../../ui/page_header';
import '../../words/functions';
import { useTongue } from '../../words/tongue';
import { FunctionDetail } from './function_detail';
import { FunctionNew } from './function_form';
import { FunctionSearch } from './function_search';
import { FunctionTreePane } from './function_tree_pane';
import './functions.css';
import { functionsOf } from './functions_store';

/** The catalogue: its tree beside the function that the address means by `node`, or a new one below `below`. */
export default function FunctionsPage(_: PageProps) {
  const { say } = useTongue();
  const user = useUser();
  const store = functionsOf(user.id);
  const [query] = useQuery();
  useEffect(() => store.watch(), [store]);
  const node = query.get('node');
  const below = query.get('below');
  const isNew = query.get('act') === 'new';
  const isSearching = (query.get('q') ?? '').trim() !== '';
  return (
    <div class="page functions" data-shown={node !== null || isNew ? 'record' : 'tree'}>
      <PageHeader
        title={say('nav.functions')}
        actions={
          <>
            {user.role !== 'clerk' && (
              <a class="button" href="/functions/lint">
                <Icon name="check" />
                {say('functions.check')}
              </a>
            )}
            {may('manager') && (
              <a class="button" href="/functions/import">
                <Icon name="download" />
                {say('functions.import')}
              </a>
            )}
            {may('manager') && (
              <a class="button primary" href="/functions?act=new">
                <Icon name="plus" />
                {say('functions.new_area')}
              </a>
            )}
          </>
        }
      />
      <div class="functions-panes">
        <section class="functions-tree" data-shown={isSearching ? 'hits' : 'tree'} aria-label={say('functions.tree')}>
          <FunctionSearch />
          {!isSearching && <FunctionTreePane store={store} selected={node} />}
        </section>
        <section class="functions-record" aria-label={say('functions.record')}>
          {isNew ? (
            <FunctionNew key={below ?? ''} below={below} store={store} />
          ) : (
            <FunctionDetail key={node ?? ''} id={node} isEditing={query.get('act') === 'edit'} store={store} />
          )}
        </section>
      </div>
    </div>
  );
}
