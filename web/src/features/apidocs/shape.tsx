// A shape as a table of its keys; what is inside opens where it stands.
import { useState } from 'react';
import { t } from '@/strings/pages';
import { keysOf, plain, resolve, typeOf, type Description, type Schema } from './model';

/** Shapes opened inside each other at most: some contain themselves. */
const MAX_DEPTH = 6;

/** A text of the description; what stands between backticks is code. */
export function Said({ text }: { text: string | undefined }) {
  return <>{(text ?? '').split('`').map((part, index) => (index % 2 === 1 ? <code key={index}>{part}</code> : part))}</>;
}

/** The object inside a value: itself, or what a list holds. */
function inside(description: Description, raw: Schema): Schema | null {
  const schema = resolve(description, plain(raw).schema);
  if (schema.type === 'array' && schema.items) return inside(description, schema.items);
  if (typeof schema.additionalProperties === 'object') return inside(description, schema.additionalProperties);
  return keysOf(description, schema).length > 0 ? schema : null;
}

export function Shape({ description, schema, label, depth = 0 }: { description: Description; schema: Schema; label: string; depth?: number }) {
  const whole = resolve(description, plain(schema).schema);
  const choices = whole.oneOf ?? whole.anyOf;
  if (choices && choices.length > 1 && depth < MAX_DEPTH) {
    return (
      <ul className="choices">
        {choices.map((one, index) => (
          <li key={index}>
            <p className="small quiet">{t('apidocs.choice', { n: index + 1 })} {one.description}</p>
            <Shape description={description} schema={one} label={`${label} ${index + 1}`} depth={depth + 1} />
          </li>
        ))}
      </ul>
    );
  }
  const object = inside(description, schema);
  if (!object) return <p><code>{typeOf(description, schema)}</code> {whole.description}</p>;
  return (
    <div className="scroll" tabIndex={0} role="region" aria-label={label}>
      <table className="data shape">
        <caption className="hidden-text">{label}</caption>
        <thead>
          <tr><th scope="col">{t('apidocs.col.key')}</th><th scope="col">{t('apidocs.col.type')}</th><th scope="col">{t('apidocs.col.meaning')}</th></tr>
        </thead>
        <tbody>
          {keysOf(description, object).map((key) => (
            <Row key={key.name} description={description} name={key.name} schema={key.schema} required={key.required} depth={depth} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Row({ description, name, schema, required, depth }: { description: Description; name: string; schema: Schema; required: boolean; depth: number }) {
  const [open, setOpen] = useState(false);
  const { nullable } = plain(schema);
  const more = depth < MAX_DEPTH && inside(description, schema) !== null;
  return (
    <>
      <tr>
        <td><code>{name}</code>{required && <span className="small quiet"> {t('apidocs.required')}</span>}</td>
        <td>
          <code>{typeOf(description, schema)}</code>{nullable && <span className="small quiet"> {t('apidocs.nullable')}</span>}
          {more && <button type="button" className="link" aria-expanded={open} onClick={() => setOpen(!open)}>{open ? t('apidocs.close', { name }) : t('apidocs.open', { name })}</button>}
        </td>
        <td className="wrap"><Said text={schema.description} /></td>
      </tr>
      {open && <tr><td colSpan={3}><Shape description={description} schema={schema} label={name} depth={depth + 1} /></td></tr>}
    </>
  );
}
