import { useRef, useState } from 'preact/hooks';
import { asProblem, type Problem } from '../../api/problem';
import type { FileReport } from '../../api/types';
import { api } from '../../session/current';
import { Badge } from '../../ui/badge';
import { Button } from '../../ui/button';
import { PageHeader } from '../../ui/page_header';
import { ProblemNote } from '../../ui/problem_note';
import { Progress } from '../../ui/progress';
import { toast } from '../../ui/toast';
import '../../words/functions';
import { useTongue } from '../../words/tongue';
import './functions.css';

interface Source {
  name: string;
  text: string;
}
interface Shown {
  reports: readonly FileReport[];
  isDone: boolean;
}

/** Files of a catalogue: chosen, shown what they would do, then taken in one by one. */
export default function FunctionsImportPage() {
  const { say, count } = useTongue();
  const [files, setFiles] = useState<readonly Source[]>([]);
  const [shown, setShown] = useState<Shown | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [step, setStep] = useState<{ done: number; total: number } | null>(null);
  const [isOver, setOver] = useState(false);
  const input = useRef<HTMLInputElement>(null);

  const choose = async (list: FileList | null | undefined) => {
    if (!list?.length) return;
    const read = await Promise.all([...list].map(async (file) => ({ name: file.name, text: await file.text() })));
    // The rules go in first: the others are held against them.
    read.sort((one, other) => Number(isRules(other.name)) - Number(isRules(one.name)) || one.name.localeCompare(other.name));
    setFiles(read);
    setProblem(null);
    setShown(null);
    setStep({ done: 0, total: 0 });
    try {
      setShown({ reports: await reportsOf(read, true), isDone: false });
    } catch (error) {
      setProblem(asProblem(error));
    } finally {
      setStep(null);
    }
  };
  const refused = shown?.reports.filter((report) => report.refused !== null) ?? [];
  const wanted = files.filter((file) => !refused.some((report) => report.name === file.name));
  const take = async () => {
    // What the preview refused would be refused again.
    const reports: FileReport[] = [...refused];
    setProblem(null);
    try {
      for (const [index, file] of wanted.entries()) {
        setStep({ done: index, total: wanted.length });
        reports.push(...(await reportsOf([file], false)));
      }
      setShown({ reports, isDone: true });
      const taken = reports.filter((report) => report.refused === null).length;
      toast(say('import.done', { count: taken, number: count(taken) }), { isProblem: taken < wanted.length });
    } catch (error) {
      setProblem(asProblem(error));
      if (reports.length > refused.length) setShown({ reports, isDone: true });
    } finally {
      setStep(null);
    }
  };
  const isWanted = shown !== null && !shown.isDone && wanted.length > 0;
  return (
    <div class="page narrow">
      <PageHeader back={{ to: '/functions', title: say('nav.functions') }} title={say('nav.functions.import')} note={say('import.note')} />
      <section
        class="import-place"
        data-over={isOver ? '' : undefined}
        aria-label={say('import.choose')}
        onDragOver={(event) => {
          event.preventDefault();
          setOver(true);
        }}
        onDragLeave={() => setOver(false)}
        onDrop={(event) => {
          event.preventDefault();
          setOver(false);
          void choose(event.dataTransfer?.files);
        }}
      >
        <p>{say('import.drop')}</p>
        <input
          ref={input}
          class="unseen"
          type="file"
          multiple
          tabIndex={-1}
          aria-label={say('import.choose')}
          accept=".md,.markdown,.txt,.jsonl,.ndjson,.json,text/*"
          onChange={(event) => void choose(event.currentTarget.files)}
        />
        <Button onClick={() => input.current?.click()}>{say('import.choose')}</Button>
      </section>
      {problem && <ProblemNote problem={problem} />}
      {step && (
        <div class="card" role="status">
          <p>{step.total === 0 ? say('import.checking') : say('import.taking', { name: wanted[step.done]?.name ?? '', at: step.done + 1, total: step.total })}</p>
          <Progress label={say('nav.functions.import')} done={step.done} total={step.total || null} />
        </div>
      )}
      {shown?.reports.map((report) => <Report key={report.name} report={report} isDone={shown.isDone} />)}
      {isWanted && (
        <footer class="form-foot">
          <Button kind="primary" busy={step !== null} onClick={() => void take()}>
            {say('import.take', { count: wanted.length, number: count(wanted.length) })}
          </Button>
          <span class="quiet small">{say('import.nothing_yet')}</span>
        </footer>
      )}
      {shown?.isDone && (
        <footer class="form-foot">
          <a class="button primary" href="/functions">
            {say('functions.to_tree')}
          </a>
        </footer>
      )}
    </div>
  );
}

function isRules(name: string): boolean {
  return name.startsWith('_0_REGELN');
}

/** What would become, or became, of the files; also when all are refused. Raises `Problem`. */
async function reportsOf(files: readonly Source[], dryRun: boolean): Promise<readonly FileReport[]> {
  try {
    const { data } = await api.post('/api/functions/import', { query: { dryRun }, body: { files: [...files] } });
    return data.files;
  } catch (error) {
    const refused = (asProblem(error).more as { files?: readonly FileReport[] }).files;
    if (!refused) throw error;
    return refused;
  }
}

const FIGURES = ['created', 'changed', 'moved', 'deleted', 'kept'] as const;

function Report({ report, isDone }: { report: FileReport; isDone: boolean }) {
  const { say, count } = useTongue();
  const { refused, findings } = report;
  return (
    <article class="card import-report">
      <header class="function-head">
        <h2>{report.name}</h2>
        <Badge tone={refused ? 'late' : isDone ? 'good' : 'plain'}>{say(refused ? 'import.refused' : isDone ? 'import.taken' : 'import.would')}</Badge>
      </header>
      {refused ? (
        <p class="late" lang="en">
          {refused.line > 0 && `${say('import.line')} ${refused.line}: `}
          {refused.reason}
        </p>
      ) : (
        <dl class="job-figures">
          <div>
            <dt class="quiet small">{say('import.nodes')}</dt>
            <dd class="number">{count(report.nodes)}</dd>
          </div>
          {FIGURES.map((name) => (
            <div key={name}>
              <dt class="quiet small">{say(`import.${name}`)}</dt>
              <dd class={report[name] === 0 ? 'number quiet' : name === 'deleted' ? 'number late' : 'number'}>{count(report[name] ?? 0)}</dd>
            </div>
          ))}
        </dl>
      )}
      {(findings?.length ?? 0) > 0 && (
        <details>
          <summary>{say('import.findings', { count: findings?.length ?? 0, number: count(findings?.length ?? 0) })}</summary>
          <ul class="import-findings">
            {findings?.map((one, index) => (
              <li key={index}>
                <Badge tone={one.severity === 'error' ? 'late' : one.severity === 'warning' ? 'warn' : 'plain'}>
                  {say('import.line')} {one.line}
                </Badge>
                <span lang="en">{one.reason}</span>
                {one.text && <code>{one.text}</code>}
              </li>
            ))}
          </ul>
        </details>
      )}
    </article>
  );
}
