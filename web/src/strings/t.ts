import en from './en.json';

export type Key = keyof typeof en;
type Values = Record<string, string | number>;

function fill(text: string, values?: Values): string {
  if (!values) return text;
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}

/** The text behind a key, with `{name}` places filled. */
export function t(key: Key, values?: Values): string {
  return fill(en[key], values);
}

type Stem<K> = K extends `${infer S}_one` ? S : never;

const plural = new Intl.PluralRules('en');

/** The text for a number: picks `key_one` or `key_other` and fills `{n}`. */
export function tn(stem: Stem<Key>, n: number, values?: Values): string {
  const key = `${stem}_${plural.select(n) === 'one' ? 'one' : 'other'}` as Key;
  return fill(en[key], { n: n.toLocaleString('en'), ...values });
}

/** The text behind a key made at run time (a word of the API), or the word itself made readable. */
export function word(prefix: string, value: string): string {
  const found = (en as Record<string, string>)[`${prefix}.${value}`];
  return found ?? value.replaceAll('_', ' ');
}
