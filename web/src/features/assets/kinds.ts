// The kinds of device the inventory can guess, and how a guess is worded.
import { percent } from '@/parts/format';
import { t } from '@/strings/t';

export const KINDS = [
  'camera', 'lock', 'hub', 'light', 'plug', 'sensor', 'alarm', 'speaker', 'television', 'printer', 'phone', 'computer', 'server', 'router',
  'plc', 'controller', 'ied', 'embedded', 'unknown',
] as const;

const SURE = 0.8;
const LIKELY = 0.5;

/** "very likely (92 %)", "likely", "a weak guess": a guess is always called one. */
export function sureness(confidence: number | null): string {
  if (confidence === null) return t('kind.guess');
  const key = confidence >= SURE ? 'kind.sure' : confidence >= LIKELY ? 'kind.likely' : 'kind.weak';
  return t(key, { share: percent(confidence) });
}

/** The first few, and how many more there are. */
export function listed(all: readonly string[], most: number): string {
  const shown = all.slice(0, most).join(', ');
  return all.length > most ? t('devices.and_more', { shown, n: all.length - most }) : shown;
}

/** Whether a device made its MAC address up: the locally administered bit of IEEE 802. */
export function madeUp(mac: string): boolean {
  return (Number.parseInt(mac.slice(0, 2), 16) & 2) !== 0;
}

/** What is known, by its word: services and names asked for have lists of their own, names theirs, all else is a hint. */
export function sorted<F extends { what: string }>(facts: readonly F[]): { names: F[]; services: F[]; asked: F[]; hints: F[] } {
  const names = facts.filter((fact) => fact.what.startsWith('name ('));
  const services = facts.filter((fact) => fact.what === 'offers' || fact.what === 'uses');
  const asked = facts.filter((fact) => fact.what.startsWith('asks for'));
  const hints = facts.filter((fact) => ![names, services, asked].some((list) => list.includes(fact)));
  return { names, services, asked, hints };
}
