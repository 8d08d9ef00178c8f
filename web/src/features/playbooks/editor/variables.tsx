// Variables of a playbook or of one step.
import { useState } from 'react';
import { Button } from '@/parts/button';
import { Check } from '@/parts/check';
import { t } from '@/strings/pages';
import { dictionary, getAt, isObj, setAt, text, type Doc, type Path } from '../model/document';
import { renameKey } from '../model/edit';
import { Line, Part, Pick } from './fields';
import { VARIABLE_TYPES } from './words';

interface VariablesProps {
  doc: Doc;
  path: string[];
  title: string;
  onChange: (doc: Doc, what: string | null) => void;
}

export function Variables({ doc, path, title, onChange }: VariablesProps) {
  const parent = getAt(doc, path.slice(0, -1));
  const own = isObj(parent) ? dictionary(parent, path.at(-1) ?? '') : {};
  const names = Object.keys(own);
  const set = (at: Path, next: unknown, what: string | null) => onChange(setAt(doc, [...path, ...at], next), what && `${path.join('/')}/${what}`);
  const fresh = () => {
    let n = names.length + 1;
    while (names.includes(`__variable_${n}__`)) n += 1;
    return `__variable_${n}__`;
  };
  return (
    <Part title={title} end={<Button small plain onClick={() => set([fresh()], { type: 'string', value: '' }, null)}>{t('edit.variable_add')}</Button>}>
      {names.length === 0 && <p className="small quiet">{t('edit.variables_none')}</p>}
      {names.map((name) => (
        <div className="entry" key={name}>
          <Key name={name} taken={names} label={t('edit.variable_name')} onRename={(to) => onChange(renameKey(doc, path, name, to), null)} />
          <div className="pair">
            <Pick label={t('edit.type')} value={text(own[name]?.type)} options={VARIABLE_TYPES.map((one) => ({ value: one, text: one }))} onChange={(next) => set([name, 'type'], next ?? '', null)} />
            <Line label={t('edit.value')} mono must value={own[name]?.value} onChange={(next) => set([name, 'value'], next, `${name} value`)} />
          </div>
          <Line label={t('edit.description')} value={own[name]?.description} onChange={(next) => set([name, 'description'], next, `${name} description`)} />
          <div className="row">
            <Check checked={own[name]?.external === true} onChange={(on) => set([name, 'external'], on || undefined, null)}>{t('edit.external')}</Check>
            <Check checked={own[name]?.constant === true} onChange={(on) => set([name, 'constant'], on || undefined, null)}>{t('edit.constant')}</Check>
            <Button small plain aria-label={t('edit.take_out', { name })} onClick={() => set([name], undefined, null)}>{t('edit.remove')}</Button>
          </div>
        </div>
      ))}
    </Part>
  );
}

/** The name an entry is kept under: written when the field is left, and never onto another's. */
export function Key({ name, taken, label, onRename }: { name: string; taken: string[]; label: string; onRename: (to: string) => void }) {
  const [typed, setTyped] = useState<string | null>(null);
  const wrong = typed !== null && typed !== name && (typed === '' || taken.includes(typed));
  return (
    <div onBlur={() => {
      if (typed !== null && !wrong && typed !== name) onRename(typed);
      setTyped(null);
    }}>
      <Line label={label} mono must value={typed ?? name} note={wrong ? t('edit.name_taken') : undefined} onChange={(next) => setTyped(next ?? '')} />
    </div>
  );
}
