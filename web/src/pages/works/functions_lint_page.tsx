import { useState } from 'preact/hooks';
import { asProblem } from '../../api/problem';
import type { LintView, RulesView } from '../../api/types';
import { useQuery } from '../../app/router';
import { useAnswer } from '../../live/use_answer';
import { api, may } from '../../session/current';
import { AnswerView } from '../../ui/answer_view';
import { Button } from '../../ui/button';
import { confirm } from '../../ui/confirm';
import { csvOf, saveFile } from '../../ui/csv';
import { Moment } from '../../ui/day';
import { Empty } from '../../ui/empty';
import { oneOf } from '../../ui/one_of';
import { PageHeader } from '../../ui/page_header';
import { Tabs } from '../../ui/tabs';
import { toast } from '../../ui/toast';
import '../../words/functions';
import { useTongue } from '../../words/tongue';
import { functionAddress } from './function_address';
import './functions.css';

const SHOWN = ['findings', 'rules'] as const;

/** What is wrong with the catalogue by its own rules, and these rules. */
export default function FunctionsLintPage() {
  const { say } = useTongue();
  const [query, setQuery] = useQuery();
  const shown = oneOf(SHOWN, query.get('show') ?? undefined, 'findings');
  const lint = useAnswer('/api/functions/lint');
  const rules = useAnswer('/api/functions/rules');
  const total = Object.values(lint.body?.data.counts ?? {}).reduce((sum, one) => sum + one, 0);
  return (
    <div class="page">
      <PageHeader
        back={{ to: '/functions', title: say('nav.functions') }}
        title={say('nav.functions.lint')}
        note={rules.body?.data.loadedAt && <>{say('lint.loaded')} <Moment at={rules.body.data.loadedAt} /></>}
        actions={may('admin') && <Reload />}
      />
      <Tabs
        tabs={[
          { id: 'findings', title: say('lint.findings'), ...(lint.body ? { count: total } : {}) },
          { id: 'rules', title: say('lint.rules') },
        ]}
        shown={shown}
        show={(id) => setQuery({ show: id === 'findings' ? null : id, rule: null })}
      >
        {shown === 'findings' ? (
          <AnswerView answer={lint}>{({ data }) => <Findings lint={data} rule={query.get('rule')} choose={(rule) => setQuery({ rule })} />}</AnswerView>
        ) : (
          <AnswerView answer={rules}>{({ data }) => <Rules rules={data} />}</AnswerView>
        )}
      </Tabs>
    </div>
  );
}

function Reload() {
  const { say } = useTongue();
  const [isBusy, setBusy] = useState(false);
  const reload = async () => {
    if (!(await confirm({ title: say('lint.reload.title'), text: say('lint.reload.text'), act: say('lint.reload') }))) return;
    setBusy(true);
    try {
      await api.post('/api/functions/reload');
      toast(say('lint.reloaded'));
    } catch (error) {
      toast(asProblem(error).detail || asProblem(error).title, { isProblem: true });
    } finally {
      setBusy(false);
    }
  };
  return (
    <Button icon="undo" busy={isBusy} onClick={() => void reload()}>
      {say('lint.reload')}
    </Button>
  );
}

function Findings({ lint, rule, choose }: { lint: LintView; rule: string | null; choose: (rule: string | null) => void }) {
  const { say, count } = useTongue();
  const rules = Object.entries(lint.counts).sort((one, other) => other[1] - one[1]);
  if (rules.length === 0) return <Empty icon="check" text={say('lint.none')} />;
  const rows = rule ? lint.findings.filter((one) => one.rule === rule) : lint.findings;
  const known = rule ? (lint.counts[rule] ?? 0) : rules.reduce((sum, [, one]) => sum + one, 0);
  const save = () => {
    const head = [say('lint.rule'), say('function.id'), say('lint.message')];
    saveFile('catalogue-findings.csv', csvOf(head, rows.map((row) => [row.rule, row.nodeId, row.message])));
  };
  return (
    <div class="data-table">
      <div class="segments lint-rules" role="group" aria-label={say('lint.rule')}>
        {rules.map(([name, number]) => (
          <button type="button" key={name} aria-pressed={name === rule} onClick={() => choose(name === rule ? null : name)}>
            <code>{name}</code> {count(number)}
          </button>
        ))}
      </div>
      <div class="table-frame">
        <table role="table" aria-label={say('lint.findings')}>
          <thead role="rowgroup">
            <tr role="row">
              <th role="columnheader">{say('function.id')}</th>
              <th role="columnheader">{say('lint.rule')}</th>
              <th role="columnheader">{say('lint.message')}</th>
            </tr>
          </thead>
          <tbody role="rowgroup">
            {rows.map((row, index) => (
              <tr role="row" key={index}>
                <td role="cell" class="main-cell" data-label={say('function.id')}>
                  <a class="row-link" href={functionAddress(row.nodeId)}>
                    <code>{row.nodeId}</code>
                  </a>
                </td>
                <td role="cell" data-label={say('lint.rule')}>
                  <code>{row.rule}</code>
                </td>
                <td role="cell" data-label={say('lint.message')} lang="en">
                  {row.message}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <footer class="table-foot">
        <span class="quiet small">{say('table.of', { shown: count(rows.length), total: count(known) })}</span>
        <Button kind="bare" icon="download" onClick={save}>
          {say('table.export')}
        </Button>
      </footer>
    </div>
  );
}

function Rules({ rules }: { rules: RulesView }) {
  const { say } = useTongue();
  return (
    <section class="card">
      {rules.loadedAt === null && <p class="quiet">{say('lint.house_rules')}</p>}
      <pre class="lint-document" tabIndex={0}>
        {JSON.stringify(rules.document, null, 2)}
      </pre>
    </section>
  );
}
