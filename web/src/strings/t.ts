// Texts of the console. `en.json` comes with the first page, `pages.json` with the first other one.
import en from './en.json';
import type pages from './pages.json';

export type Key = keyof typeof en | keyof typeof pages;
type Values = Record<string, string | number>;

/** Every text that has arrived. */
export const texts: Partial<Record<string, string>> = { ...en };

function fill(key: string, values?: Values): string {
  const text = texts[key] ?? key;
  if (!values) return text;
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}

/** The text behind a key, with `{name}` places filled. */
export function t(key: Key, values?: Values): string {
  return fill(key, values);
}

type Stem<K> = K extends `${infer S}_one` ? S : never;

const plural = new Intl.PluralRules('en');

/** The text for a number: picks `key_one` or `key_other` and fills `{n}`. */
export function tn(stem: Stem<Key>, n: number, values?: Values): string {
  const key = `${stem}_${plural.select(n) === 'one' ? 'one' : 'other'}`;
  return fill(key, { n: n.toLocaleString('en'), ...values });
}

/** The text behind a key made at run time (a word of the API), or the word itself made readable. */
export function word(prefix: string, value: string): string {
  return texts[`${prefix}.${value}`] ?? value.replaceAll('_', ' ');
}
