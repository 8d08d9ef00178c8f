// The form of the chosen step. Properties it has no field for are named, and kept as they are.
import { useState } from 'react';
import { useQuery } from '@tanstack/react-query';
import { reads } from '@/api/queries';
import { Button } from '@/parts/button';
import { t, tn } from '@/strings/pages';
import { stepWord, typeWord } from '../canvas/look';
import { dictionary, setAt, text, texts, titleOf, workflowOf, type Doc, type Obj } from '../model/document';
import { holdsSomething, variablesFor } from '../model/edit';
import { leadingTo } from '../model/exits';
import { Commands } from './commands';
import { Condition } from './condition';
import { Line, Names, Part, Pick, Whole } from './fields';
import { Variables } from './variables';
import { Ways } from './ways';

export interface FormProps {
  doc: Doc;
  onChange: (doc: Doc, what: string | null) => void;
}

interface StepFormProps extends FormProps {
  id: string;
  onChoose: (id: string) => void;
  onDelete: () => void;
  /** The question whether to delete is open. */
  asking: boolean;
  onAnswer: (yes: boolean) => void;
}

const FIELDS = new Set(['type', 'name', 'description', 'delay', 'timeout', 'step_variables', 'condition', 'switch', 'commands', 'playbook_id', 'playbook_version', 'agent', 'targets', 'in_args', 'out_args', 'next_steps', 'cases', 'on_true', 'on_false', 'on_completion', 'on_success', 'on_failure']);

export function StepForm({ doc, id, onChange, onChoose, onDelete, asking, onAnswer }: StepFormProps) {
  const step = workflowOf(doc)[id];
  if (!step) return null;
  const set = (name: string, what: string | null = name) => (next: unknown) => onChange(setAt(doc, ['workflow', id, name], next), what && `${id} ${what}`);
  const rest = Object.keys(step).filter((name) => !FIELDS.has(name));
  return (
    <div className="step-form" key={id}>
      <Part title={typeWord(text(step.type))} end={<Button small plain onClick={onDelete}>{t('edit.delete')}</Button>}>
        {asking && <Asking doc={doc} id={id} step={step} onAnswer={onAnswer} />}
        <Line label={t('edit.name')} value={step.name} onChange={set('name')} />
        <Line area label={t('edit.description')} value={step.description} onChange={set('description')} />
        <OfType doc={doc} id={id} step={step} set={set} />
      </Part>
      <Ways doc={doc} id={id} onChange={(next) => onChange(next, null)} onChoose={onChoose} />
      {(step.type === 'action' || step.commands !== undefined) && <Commands value={step.commands} onChange={(next, what) => set('commands', what && `commands ${what}`)(next)} />}
      {(step.type === 'action' || step.type === 'playbook-action') && <Arguments doc={doc} id={id} step={step} set={set} />}
      <Part title={t('edit.times')}>
        <div className="pair">
          <Whole label={t('edit.timeout')} note={t('edit.milliseconds')} value={step.timeout} onChange={set('timeout')} />
          <Whole label={t('edit.delay')} note={t('edit.milliseconds')} min={1} value={step.delay} onChange={set('delay')} />
        </div>
      </Part>
      <Variables doc={doc} path={['workflow', id, 'step_variables']} title={t('edit.step_variables')} onChange={onChange} />
      <p className="small quiet wrap">{rest.length > 0 && t('edit.kept', { names: rest.join(', ') })} <span className="mono">{id}</span></p>
    </div>
  );
}

type Setter = (name: string, what?: string | null) => (next: unknown) => void;
interface OfStep { doc: Doc; id: string; step: Obj; set: Setter }

/** What only some types have. */
function OfType({ doc, id, step, set }: OfStep) {
  const variables = variablesFor(doc, id);
  switch (step.type) {
    case 'action':
      return <Pick label={t('edit.agent')} note={t('edit.agent_note')} value={text(step.agent)} none={t('edit.choose')} options={named(doc, 'agent_definitions')} onChange={(next) => set('agent', null)(next ?? '')} />;
    case 'playbook-action':
      return <Called doc={doc} step={step} set={set} />;
    case 'if-condition':
    case 'while-condition':
      return <Condition label={t('edit.condition')} value={text(step.condition)} variables={variables} onChange={set('condition')} />;
    case 'switch-condition':
      return <Condition label={t('edit.switch')} value={text(step.switch)} variables={variables} onChange={set('switch')} />;
    default:
      return null;
  }
}

/** The playbook that is called: one that is stored here, or any other by its id. */
function Called({ doc, step, set }: Omit<OfStep, 'id'>) {
  const stored = useQuery(reads.playbooks());
  const others = (stored.data ?? []).filter((one) => one.cacao_id !== doc.id).map((one) => ({ value: one.cacao_id, text: one.name }));
  return (
    <>
      <Pick label={t('edit.playbook_stored')} value={others.some((one) => one.value === step.playbook_id) ? text(step.playbook_id) : ''} none={t('edit.playbook_other')} options={others} onChange={(next) => next && set('playbook_id', null)(next)} />
      <Line must mono label={t('edit.playbook_id')} value={step.playbook_id} onChange={set('playbook_id')} />
      <Line mono label={t('edit.playbook_version')} note={t('edit.playbook_version_note')} value={step.playbook_version} onChange={set('playbook_version')} />
    </>
  );
}

function Arguments({ doc, id, step, set }: OfStep) {
  const variables = variablesFor(doc, id).map((one) => ({ value: one.name, text: one.name }));
  return (
    <Part title={t('edit.given')}>
      {(step.type === 'action' || step.targets !== undefined) && <Names label={t('edit.targets')} add={t('edit.target_add')} value={texts(step.targets)} options={named(doc, 'target_definitions')} onChange={set('targets', null)} />}
      <Names label={t('edit.in_args')} add={t('edit.in_add')} value={texts(step.in_args)} options={variables} onChange={set('in_args', null)} />
      <Names label={t('edit.out_args')} add={t('edit.out_add')} value={texts(step.out_args)} options={variables} onChange={set('out_args', null)} />
    </Part>
  );
}

const named = (doc: Doc, of: string) => Object.entries(dictionary(doc, of)).map(([id, one]) => ({ value: id, text: `${titleOf(id, one)} (${text(one.type)})` }));

/** Asked only where something is lost; an empty step goes without a question. */
function Asking({ doc, id, step, onAnswer }: { doc: Doc; id: string; step: Obj; onAnswer: (yes: boolean) => void }) {
  const [into] = useState(() => leadingTo(doc, id).length);
  return (
    <div className="asking" role="alertdialog" aria-label={t('edit.delete_ask', { name: stepWord(id, step) })}>
      <p>{t('edit.delete_ask', { name: stepWord(id, step) })} {tn('edit.delete_loses', into)}</p>
      <div className="row">
        <Button small autoFocus onClick={() => onAnswer(true)}>{t('edit.delete')}</Button>
        <Button small plain onClick={() => onAnswer(false)}>{t('edit.keep')}</Button>
      </div>
    </div>
  );
}

export const deletesQuietly = (doc: Doc, id: string): boolean => !holdsSomething(workflowOf(doc)[id]);
