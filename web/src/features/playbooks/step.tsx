import { Textarea } from '@mantine/core';
import { useState } from 'react';
import { post } from '@/api/client';
import type { Outcome, RunDetail, Step } from '@/api/types';
import { useMay } from '@/app/session';
import { useAct } from '@/parts/act';
import { Failed } from '@/parts/page';
import { sentence } from '@/parts/sentence';
import { StepTag } from '@/parts/tags';
import { spanText, Wall } from '@/parts/time';
import { t, tn, word } from '@/strings/t';
import { Button } from '@/parts/button';
import { InPlaceOf } from './place';

/** One step of a run: what was asked of whom, and what really happened. */
export function RunStep({ run, step, number }: { run: RunDetail; step: Step; number: number | null }) {
  return (
    <li className={step.state}>
      <span className="dot" aria-hidden="true">{number}</span>
      <div>
        <div className="row">
          <span className="strong">{step.name}</span>
          <StepTag value={step.state} />
          <span className="small quiet">
            {[step.actuator ? `${step.actuator}${step.verb ? ` · ${step.verb}` : ''}` : word('step.type', step.type), step.attempts > 1 ? tn('run.attempts', step.attempts) : null].filter(Boolean).join(' · ')}
          </span>
        </div>
        {step.outcome && <p className="outcome">{outcomeText(step.outcome)}</p>}
        <Arguments values={step.arguments} />
        {step.started_at && (
          <p className="small quiet">
            <Wall at={step.started_at} />{step.ended_at && ` · ${t('run.took_short', { span: took(step) })}`}
          </p>
        )}
        {step.state === 'waiting' && step.type !== 'start' && <Answer run={run} step={step} />}
        {step.state === 'unsure' && <Settle run={run} step={step} />}
      </div>
    </li>
  );
}

function took(step: Step): string {
  return spanText(Date.parse(step.ended_at ?? '') - Date.parse(step.started_at ?? ''));
}

function outcomeText(outcome: Outcome): string {
  if (outcome.outcome === 'done') return sentence(outcome.summary);
  if (outcome.outcome === 'not_enforced') return t('run.not_enforced', { why: outcome.reason });
  return t(outcome.retry ? 'run.failed_retry' : 'run.failed', { why: outcome.reason });
}

function Arguments({ values }: { values: Record<string, unknown> | null }) {
  const entries = Object.entries(values ?? {});
  if (entries.length === 0) return null;
  return (
    <dl className="facts arguments">
      {entries.map(([name, value]) => (
        <div key={name} style={{ display: 'contents' }}>
          <dt className="mono">{name}</dt>
          <dd className="mono wrap">{typeof value === 'string' ? value : JSON.stringify(value)}</dd>
        </div>
      ))}
    </dl>
  );
}

/** A manual step waits for a person: yes or no, with a word. */
export function Answer({ run, step }: { run: Pick<RunDetail, 'id' | 'playbook'>; step: Pick<Step, 'step' | 'position'> }) {
  const may = useMay('playbooks.run');
  const [text, setText] = useState('');
  const [giver, setGiver] = useState('');
  const act = useAct(
    (approve: boolean) => post(`/runs/${run.id}/steps/${step.position ?? encodeURIComponent(step.step)}/answer`, { approve, text: text.trim(), ...(giver === '' ? {} : { for: giver }) }),
    ['runs', 'incidents'],
  );
  if (!may) return null;
  return (
    <div className="stack tight answer">
      <Textarea autosize minRows={1} maxLength={2000} label={t('run.answer')} value={text} onChange={(event) => setText(event.currentTarget.value)} />
      <InPlaceOf kind="steps" playbook={run.playbook} value={giver} onChange={setGiver} />
      <div className="row">
        <Button small busy={act.isPending} data-key="a" onClick={() => act.mutate(true)}>{t('run.approve')}</Button>
        <Button small plain onClick={() => act.mutate(false)}>{t('run.decline')}</Button>
      </div>
      {act.isError && <Failed error={act.error} />}
    </div>
  );
}

/** A command was interrupted: was it done? */
function Settle({ run, step }: { run: RunDetail; step: Step }) {
  const may = useMay('playbooks.run');
  const act = useAct(
    (answer: 'done' | 'not_done' | 'give_up') => post(`/runs/${run.id}/steps/${step.position}/settle`, { answer }),
    ['runs', 'incidents'],
  );
  return (
    <div className="stack tight answer">
      <p>{t('run.settle')}</p>
      {may && (
        <div className="row">
          <Button small busy={act.isPending} onClick={() => act.mutate('done')}>{t('run.settle.done')}</Button>
          <Button small plain onClick={() => act.mutate('not_done')}>{t('run.settle.not_done')}</Button>
          <Button small plain onClick={() => act.mutate('give_up')}>{t('run.settle.give_up')}</Button>
        </div>
      )}
      {act.isError && <Failed error={act.error} />}
    </div>
  );
}
