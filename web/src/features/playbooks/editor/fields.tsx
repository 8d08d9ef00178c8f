// Fields of the editor's forms. Each writes one property and takes it out again when it is emptied;
// what nobody touched is not written.
import { NativeSelect, Textarea, TextInput } from '@mantine/core';
import { useState, type ReactNode } from 'react';
import { Button } from '@/parts/button';
import { t } from '@/strings/pages';

const MONO = { input: { fontFamily: 'var(--mono)', fontSize: 12 } };
/** As long as a line of a form may be; the node bounds the whole playbook. */
const MAX_TEXT = 100_000;

interface FieldProps {
  label: string;
  value: unknown;
  onChange: (value: string | undefined) => void;
  note?: string | undefined;
  mono?: boolean;
  list?: readonly string[];
  area?: boolean;
  /** An empty text is written as such: the standard asks for the property. */
  must?: boolean;
}

/** A value that is no text is shown as JSON, and kept as long as it is not touched. */
const shown = (value: unknown): string => (typeof value === 'string' ? value : value === undefined ? '' : JSON.stringify(value));

export function Line({ label, value, onChange, note, mono, list, area, must }: FieldProps) {
  const id = list ? `list-${label.replace(/\W+/g, '-')}` : undefined;
  const common = { label, value: shown(value), description: note, maxLength: MAX_TEXT, spellCheck: !mono, size: 'xs' as const, ...(mono ? { styles: MONO } : {}) };
  const write = (next: string) => onChange(next === '' && !must ? undefined : next);
  if (area) return <Textarea {...common} autosize minRows={2} maxRows={14} onChange={(event) => write(event.currentTarget.value)} />;
  return (
    <>
      <TextInput {...common} list={id} onChange={(event) => write(event.currentTarget.value)} />
      {list && <datalist id={id}>{list.map((one) => <option key={one} value={one} />)}</datalist>}
    </>
  );
}

/** A whole number; what is no number is said and not written. */
export function Whole({ label, value, onChange, note, min = 0, max }: { label: string; value: unknown; onChange: (value: number | undefined) => void; note?: string; min?: number; max?: number }) {
  const [typed, setTyped] = useState<string | null>(null);
  const now = typed ?? shown(value);
  const number = Number(now);
  const wrong = now !== '' && !(Number.isSafeInteger(number) && number >= min && number <= (max ?? Number.MAX_SAFE_INTEGER));
  return (
    <TextInput
      size="xs" label={label} description={note} inputMode="numeric" value={now}
      error={wrong ? (max === undefined ? t('edit.whole_from', { min }) : t('edit.whole_between', { min, max })) : undefined}
      onBlur={() => !wrong && setTyped(null)}
      onChange={(event) => {
        const next = event.currentTarget.value.trim();
        setTyped(next);
        const n = Number(next);
        if (next === '') onChange(undefined);
        else if (Number.isSafeInteger(n) && n >= min && n <= (max ?? Number.MAX_SAFE_INTEGER)) onChange(n);
      }}
    />
  );
}

export interface Option { value: string; text: string }

/** A choice; a value that is not among the options stays, and is said to be unknown. */
export function Pick({ label, value, options, onChange, none, note }: { label: string; value: string; options: readonly Option[]; onChange: (value: string | undefined) => void; none?: string; note?: string }) {
  const known = value === '' || options.some((one) => one.value === value);
  const data = [
    ...(none === undefined ? [] : [{ value: '', label: none }]),
    ...(known ? [] : [{ value, label: t('edit.unknown_value', { value }) }]),
    ...options.map((one) => ({ value: one.value, label: one.text })),
  ];
  return <NativeSelect size="xs" label={label} description={note} value={value} data={data} onChange={(event) => onChange(event.currentTarget.value === '' ? undefined : event.currentTarget.value)} />;
}

/** A list of words, separated by commas. */
export function Words({ label, value, onChange, note, list }: { label: string; value: unknown; onChange: (value: string[] | undefined) => void; note?: string; list?: readonly string[] }) {
  const [typed, setTyped] = useState<string | null>(null);
  const split = (line: string) => line.split(',').map((one) => one.trim()).filter((one) => one !== '');
  const id = list ? `words-${label.replace(/\W+/g, '-')}` : undefined;
  return (
    <>
      <TextInput
        size="xs" label={label} description={note ?? t('edit.by_comma')} list={id} value={typed ?? (Array.isArray(value) ? value.map(shown).join(', ') : shown(value))}
        onBlur={() => setTyped(null)}
        onChange={(event) => {
          setTyped(event.currentTarget.value);
          const words = split(event.currentTarget.value);
          onChange(words.length === 0 ? undefined : words);
        }}
      />
      {list && <datalist id={id}>{list.map((one) => <option key={one} value={one} />)}</datalist>}
    </>
  );
}

/** A part that has no form of its own, as JSON. */
export function JsonField({ label, value, onChange, note }: { label: string; value: unknown; onChange: (value: unknown) => void; note?: string }) {
  const [typed, setTyped] = useState<string | null>(null);
  const [wrong, setWrong] = useState<string | null>(null);
  return (
    <Textarea
      size="xs" label={label} description={note} autosize minRows={2} maxRows={14} spellCheck={false} styles={MONO} error={wrong}
      value={typed ?? (value === undefined ? '' : JSON.stringify(value, null, 2))}
      onBlur={() => wrong === null && setTyped(null)}
      onChange={(event) => {
        const next = event.currentTarget.value;
        setTyped(next);
        try {
          const read: unknown = next.trim() === '' ? undefined : JSON.parse(next);
          setWrong(null);
          onChange(read);
        } catch (error) {
          setWrong(t('edit.json_wrong', { why: error instanceof Error ? error.message : '' }));
        }
      }}
    />
  );
}

/** Names chosen one by one, e.g. the arguments of a step. */
export function Names({ label, value, options, onChange, add }: { label: string; value: string[]; options: readonly Option[]; onChange: (value: string[] | undefined) => void; add: string }) {
  const left = options.filter((one) => !value.includes(one.value));
  const textOf = (name: string) => options.find((one) => one.value === name)?.text ?? t('edit.unknown_value', { value: name });
  const set = (names: string[]) => onChange(names.length === 0 ? undefined : names);
  return (
    <fieldset className="names">
      <legend>{label}</legend>
      {value.length > 0 && (
        <ul>
          {value.map((name) => (
            <li key={name}>
              <span className="wrap">{textOf(name)}</span>
              <Button small plain aria-label={t('edit.take_out', { name: textOf(name) })} onClick={() => set(value.filter((one) => one !== name))}>×</Button>
            </li>
          ))}
        </ul>
      )}
      <NativeSelect size="xs" aria-label={add} value="" disabled={left.length === 0} data={[{ value: '', label: left.length === 0 ? t('edit.none_left') : add }, ...left.map((one) => ({ value: one.value, label: one.text }))]} onChange={(event) => event.currentTarget.value !== '' && set([...value, event.currentTarget.value])} />
    </fieldset>
  );
}

/** A part of a form with its title. */
export function Part({ title, end, children }: { title: ReactNode; end?: ReactNode; children: ReactNode }) {
  return (
    <section className="form-part">
      <div className="row apart"><h3>{title}</h3>{end}</div>
      {children}
    </section>
  );
}
