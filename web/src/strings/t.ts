// Texts of the console. What the frame says comes with it, the rest of `en.json` beside it (`rest`), `pages.json` with the
// first page that needs it; a chosen language
// has a file of its own, and what it lacks is said in English.
import type en from './en.json';
import frame from 'virtual:texts/frame';
import { locale, ownTexts } from './locale';
import type pages from './pages.json';

export type Key = keyof typeof en | keyof typeof pages;
type Values = Record<string, string | number>;

/** Every English text that has arrived. */
export const texts: Partial<Record<string, string>> = { ...frame };

/** Done once every text of `en.json` is there; pages wait for it. */
export const rest: Promise<void> = import('virtual:texts/rest').then((more) => void Object.assign(texts, more.default));

const own = await ownTexts();

function put(text: string, values?: Values): string {
  if (!values) return text;
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}

/** The text behind a key, with `{name}` places filled. */
export function t(key: Key, values?: Values): string {
  return put(own[key] ?? texts[key] ?? key, values);
}

type Stem<K> = K extends `${infer S}_one` ? S : never;

const plural = new Intl.PluralRules(locale);
const english = new Intl.PluralRules('en');

/** The text for a number: picks `key_one`, `key_other` or what else the language has, and fills `{n}`. */
export function tn(stem: Stem<Key>, n: number, values?: Values): string {
  const inEnglish = `${stem}_${english.select(n)}`;
  const text = own[`${stem}_${plural.select(n)}`] ?? own[`${stem}_other`] ?? texts[inEnglish] ?? inEnglish;
  return put(text, { n: n.toLocaleString(locale), ...values });
}

/** The text behind a key made at run time (a word of the API), or the word itself made readable. */
export function word(prefix: string, value: string): string {
  const key = `${prefix}.${value}`;
  return own[key] ?? texts[key] ?? value.replaceAll('_', ' ');
}
