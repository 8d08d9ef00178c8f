// The commands of a step: every type of the standard; fields in base64 are shown decoded.
import { text as textOf, objects, setAt, type Obj } from '../model/document';
import { decoded, encoded } from '../model/base64';
import { Button } from '@/parts/button';
import { t } from '@/strings/pages';
import { JsonField, Line, Part, Pick } from './fields';
import { ACTIVITIES, COMMAND_TYPES } from './words';

interface CommandsProps {
  value: unknown;
  onChange: (value: Obj[], what: string | null) => void;
}

/** Types whose command is kept in base64 alone (CACAO v2.0, section 5). */
const ONLY_B64 = new Set(['elastic', 'jupyter', 'kestrel', 'sigma', 'yara']);
const OVER_HTTP = new Set(['http-api', 'openc2-http']);

export function Commands({ value, onChange }: CommandsProps) {
  const list = objects(value);
  const swap = (from: number, to: number) => onChange(list.map((one, index) => (index === from ? list[to] : index === to ? list[from] : one) as Obj), null);
  return (
    <Part title={t('edit.commands')} end={<Button small plain onClick={() => onChange([...list, { type: 'manual', command: '' }], null)}>{t('edit.command_add')}</Button>}>
      {list.length === 0 && <p className="small quiet">{t('edit.commands_none')}</p>}
      <ol className="command-list">
        {list.map((command, index) => (
          <li key={index}>
            <div className="row apart">
              <span className="strong small">{t('edit.command_n', { n: index + 1 })}</span>
              <span className="row tight">
                <Button small plain disabled={index === 0} aria-label={t('edit.earlier', { n: index + 1 })} onClick={() => swap(index, index - 1)}>↑</Button>
                <Button small plain disabled={index === list.length - 1} aria-label={t('edit.later', { n: index + 1 })} onClick={() => swap(index, index + 1)}>↓</Button>
                <Button small plain aria-label={t('edit.command_remove', { n: index + 1 })} onClick={() => onChange(list.filter((_, at) => at !== index), null)}>×</Button>
              </span>
            </div>
            <Command command={command} onChange={(next, what) => onChange(list.map((one, at) => (at === index ? next : one)), what && `${index} ${what}`)} />
          </li>
        ))}
      </ol>
    </Part>
  );
}

function Command({ command, onChange }: { command: Obj; onChange: (command: Obj, what: string | null) => void }) {
  const type = textOf(command.type);
  const set = (name: string) => (next: unknown) => onChange(setAt(command, [name], next), name);
  const retype = (next: string | undefined) => {
    let made = setAt(command, ['type'], next ?? '');
    // A type that keeps its command in base64 alone takes along what was written.
    if (ONLY_B64.has(next ?? '') && typeof command.command === 'string') made = setAt(setAt(made, ['command'], undefined), ['command_b64'], encoded(command.command));
    onChange(made, null);
  };
  const coded = ONLY_B64.has(type);
  return (
    <div className="stack tight">
      <Pick label={t('edit.command_type')} value={type} options={COMMAND_TYPES.map((one) => ({ value: one, text: one }))} onChange={retype} />
      <Line label={t('edit.description')} value={command.description} onChange={set('description')} />
      {(!coded || command.command !== undefined) && (command.command !== undefined || command.command_b64 === undefined) && <Line area mono must label={type === 'manual' ? t('edit.instruction') : t('edit.command')} value={command.command} onChange={set('command')} />}
      {(coded || command.command_b64 !== undefined) && <Coded label={type === 'manual' ? t('edit.instruction') : t('edit.command')} value={command.command_b64} onChange={set('command_b64')} />}
      {(OVER_HTTP.has(type) || command.headers !== undefined) && <JsonField label={t('edit.headers')} note={t('edit.headers_note')} value={command.headers} onChange={set('headers')} />}
      {(type === 'http-api' || command.content !== undefined) && command.content_b64 === undefined && <Line area mono label={t('edit.content')} value={command.content} onChange={set('content')} />}
      {(type === 'openc2-http' || command.content_b64 !== undefined) && <Coded label={t('edit.content')} value={command.content_b64} onChange={set('content_b64')} />}
      {(type.startsWith('x-') || command.arguments !== undefined) && <JsonField label={t('edit.arguments')} value={command.arguments} onChange={set('arguments')} />}
      <Line label={t('edit.activity')} list={ACTIVITIES} value={command.playbook_activity} onChange={set('playbook_activity')} />
    </div>
  );
}

function Coded({ label, value, onChange }: { label: string; value: unknown; onChange: (value: string | undefined) => void }) {
  const plain = value === undefined || value === '' ? '' : decoded(textOf(value));
  if (plain === null) return <Line area mono label={`${label} (base64)`} note={t('edit.b64_raw')} value={value} onChange={onChange} />;
  return <Line area mono must label={label} note={t('edit.b64')} value={plain} onChange={(next) => onChange(encoded(next ?? ''))} />;
}
