// Which language the console speaks in this browser. A translation is begun, not complete, where a person has to choose
// it: a page half in each language is nobody's wish. Read before the first text, so that a change needs a reload.

export const LOCALES = { en: 'English', de: 'Deutsch', fr: 'Français', es: 'Español', et: 'Eesti', fi: 'Suomi', ca: 'Català' } as const;
export type Locale = keyof typeof LOCALES;

const KEY = 'sereno-language';

export function isLocale(text: unknown): text is Locale {
  return typeof text === 'string' && text in LOCALES;
}

function chosen(): Locale {
  try {
    const kept = localStorage.getItem(KEY);
    return isLocale(kept) ? kept : 'en';
  } catch {
    return 'en';
  }
}

export const locale: Locale = chosen();

/** For dates and numbers: English as it is written where the day comes first. */
export const region: string = locale === 'en' ? 'en-GB' : locale;

export function chooseLocale(next: Locale): void {
  try {
    localStorage.setItem(KEY, next);
  } catch {
    // Without storage the choice ends with the page.
  }
}

const files: Record<Exclude<Locale, 'en'>, () => Promise<{ default: Record<string, string> }>> = {
  de: () => import('./de.json'),
  fr: () => import('./fr.json'),
  es: () => import('./es.json'),
  et: () => import('./et.json'),
  fi: () => import('./fi.json'),
  ca: () => import('./ca.json'),
};

/** The texts of the chosen language; English stands behind each that is missing. */
export async function ownTexts(): Promise<Partial<Record<string, string>>> {
  if (typeof document !== 'undefined') document.documentElement.lang = locale;
  if (locale === 'en') return {};
  try {
    return (await files[locale]()).default;
  } catch {
    // The node is away: English is here already.
    if (typeof document !== 'undefined') document.documentElement.lang = 'en';
    return {};
  }
}
