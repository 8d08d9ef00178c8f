// Where a step leads: each way out as a line of the form, the keyboard's twin of drawing a line.
import { TextInput } from '@mantine/core';
import { useState } from 'react';
import { Button } from '@/parts/button';
import { t } from '@/strings/pages';
import { exitWord, kindWord, stepWord } from '../canvas/look';
import { text, workflowOf, type Doc } from '../model/document';
import { connect, disconnect } from '../model/edit';
import { exitKey, exitKinds, exitsOf, readingOrder, type ExitKind } from '../model/exits';
import { Part, Pick } from './fields';

interface WaysProps {
  doc: Doc;
  id: string;
  onChange: (doc: Doc) => void;
  onChoose: (id: string) => void;
}

export function Ways({ doc, id, onChange, onChoose }: WaysProps) {
  const flow = workflowOf(doc);
  const step = flow[id];
  const exits = exitsOf(step);
  const kinds = exitKinds(text(step?.type));
  const steps = readingOrder(doc).filter((one) => one !== id && flow[one]?.type !== 'start').map((one) => ({ value: one, text: stepWord(one, flow[one]) }));
  if (kinds.length === 0 && exits.length === 0) return null;
  return (
    <Part title={t('edit.ways')}>
      {exits.length === 0 && <p className="small quiet">{t('edit.ways_none')}</p>}
      {exits.map((exit) => (
        <div className="way-row" key={exitKey(id, exit)}>
          <Pick label={exitWord(exit, text(step?.type))} value={exit.to} options={steps} onChange={(to) => to && onChange(exit.kind === 'next' ? connect(disconnect(doc, id, exit), id, { ...exit, to }) : connect(doc, id, { ...exit, to }))} />
          <Button small plain aria-label={t('edit.go_to', { name: stepWord(exit.to, flow[exit.to]) })} disabled={!flow[exit.to]} onClick={() => onChoose(exit.to)}>→</Button>
          <Button small plain aria-label={t('edit.way_remove', { way: exitWord(exit, text(step?.type)) })} onClick={() => onChange(disconnect(doc, id, exit))}>×</Button>
        </div>
      ))}
      {kinds.length > 0 && <AddWay kinds={kinds} steps={steps} taken={new Set(exits.map((exit) => exit.kind))} onAdd={(kind, to, value) => onChange(connect(doc, id, { kind, to, ...(kind === 'case' ? { value } : {}) }))} />}
    </Part>
  );
}

interface AddWayProps {
  kinds: readonly ExitKind[];
  steps: { value: string; text: string }[];
  taken: Set<ExitKind>;
  onAdd: (kind: ExitKind, to: string, value: string) => void;
}

function AddWay({ kinds, steps, taken, onAdd }: AddWayProps) {
  const open = kinds.filter((kind) => kind === 'case' || kind === 'next' || !taken.has(kind));
  const [picked, setPicked] = useState<ExitKind | ''>('');
  const [value, setValue] = useState('');
  const [to, setTo] = useState('');
  const kind = open.find((one) => one === picked) ?? open[0];
  if (!kind) return null;
  return (
    <div className="way-add">
      <Pick label={t('edit.way_kind')} value={kind} options={open.map((one) => ({ value: one, text: kindWord(one) }))} onChange={(next) => setPicked((next ?? '') as ExitKind)} />
      {kind === 'case' && <TextInput size="xs" label={t('edit.case_value')} value={value} onChange={(event) => setValue(event.currentTarget.value)} />}
      <Pick label={t('edit.way_to')} value={to} none={t('edit.choose')} options={steps} onChange={(next) => setTo(next ?? '')} />
      <Button
        small plain disabled={to === '' || (kind === 'case' && value === '')}
        onClick={() => {
          onAdd(kind, to, value);
          setTo('');
          setValue('');
        }}
      >
        {t('edit.way_add')}
      </Button>
    </div>
  );
}
