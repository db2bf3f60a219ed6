/** How a statement is carried out: asked for when somebody wants to know, not before. */

import { useState } from 'preact/hooks';
import type { PlanDocument, PlansDocument } from '../../api/types';
import { useAnswer } from '../../live/use_answer';
import { AnswerView } from '../../ui/answer_view';
import { Badge } from '../../ui/badge';
import { Button } from '../../ui/button';
import { CopyButton } from '../../ui/copy_button';
import { Moment } from '../../ui/day';
import { useTongue } from '../../words/tongue';

/** A button first; then the plan of now, and those before it. */
export function PlanOnDemand({ fingerprint }: { fingerprint: string }) {
  const { say } = useTongue();
  const [isWanted, setWanted] = useState(false);
  const answer = useAnswer('/api/diagnostics/plans/{fingerprint}', isWanted ? { path: { fingerprint } } : null);
  return (
    <section class="section">
      <div class="insight-head">
        <h2>{say('insight.plan')}</h2>
        <Button icon={isWanted ? 'undo' : 'play'} onClick={() => (isWanted ? answer.refresh() : setWanted(true))}>
          {say(isWanted ? 'insight.plan.again' : 'insight.plan.ask')}
        </Button>
      </div>
      {isWanted ? <AnswerView answer={answer}>{({ data }) => <PlanList known={data} />}</AnswerView> : <p class="quiet">{say('insight.plan.why')}</p>}
    </section>
  );
}

export function PlanList({ known }: { known: PlansDocument }) {
  const { say } = useTongue();
  return (
    <>
      {known.refused && (
        <p class="note" lang="en">
          {known.refused}
        </p>
      )}
      {known.plans.length === 0 && !known.refused && <p class="quiet">{say('insight.plan.none')}</p>}
      {known.plans.map((plan, index) => (
        <Plan key={plan.hash} plan={plan} isNow={index === 0} />
      ))}
    </>
  );
}

function Plan({ plan, isNow }: { plan: PlanDocument; isNow: boolean }) {
  const { say, list } = useTongue();
  return (
    <article class="card insight-pattern">
      <header>
        <Badge tone={isNow ? 'active' : 'plain'}>{say(isNow ? 'insight.plan.now' : 'insight.plan.before')}</Badge>
        <span class="quiet small">
          {say('insight.plan.first')} <Moment at={plan.firstSeen} />
        </span>
        <CopyButton text={plan.text} />
      </header>
      <pre class="insight-sql is-plan" tabIndex={0} role="region" aria-label={say('insight.plan')}>
        {plan.text}
      </pre>
      {plan.remarks.length > 0 && (
        <ul class="insight-remarks" lang="en">
          {plan.remarks.map((remark) => (
            <li key={remark}>{remark}</li>
          ))}
        </ul>
      )}
      <p class="quiet small">{plan.indexes.length ? say('insight.plan.indexes', { list: list(plan.indexes) }) : say('insight.plan.no_index')}</p>
    </article>
  );
}
