// Numbers as people read them, in their language.
import { locale } from '@/strings/locale';

export const count = (n: number): string => Math.round(n).toLocaleString(locale);

const precise = new Intl.NumberFormat(locale, { minimumSignificantDigits: 3, maximumSignificantDigits: 3, useGrouping: false });
const short = new Intl.NumberFormat(locale, { maximumSignificantDigits: 3, useGrouping: false });
const shorter = new Intl.NumberFormat(locale, { maximumSignificantDigits: 2, useGrouping: false });

const digits = (value: number): string => precise.format(value);

export function bytes(n: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = n;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 ? value : digits(value)} ${units[unit]}`;
}

/** Three significant digits; whole numbers stay whole. */
export function figure(n: number): string {
  if (!Number.isFinite(n)) return '–';
  if (Number.isInteger(n)) return n.toLocaleString(locale);
  if (Math.abs(n) >= 1000) return Math.round(n).toLocaleString(locale);
  return short.format(n);
}

export const times = (ratio: number): string => `${figure(ratio >= 10 ? Math.round(ratio * 10) / 10 : ratio)}×`;

export function percent(share: number): string {
  const value = share * 100;
  // A no-break space: a figure and its unit stay on one line.
  return `${value >= 10 || value === 0 ? Math.round(value) : shorter.format(value)}\u00a0%`;
}
