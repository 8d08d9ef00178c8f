// Triggers as the form holds them: how each begins, and texts that are lists.
import type { PlaybookTrigger, TriggerOn } from '@/api/types';

export const FIRST: Readonly<Record<TriggerOn, PlaybookTrigger>> = {
  'incidents.opened': { on: 'incidents.opened', min_severity: 'high', kinds: [] },
  'incidents.received': { on: 'incidents.received', min_severity: 'high', kinds: [], tlp: 'TLP:AMBER' },
  'findings.raised': { on: 'findings.raised', min_severity: 'high', kinds: [], cooldown_s: 3_600 },
  'intel.new': { on: 'intel.new', types: ['indicator'], tlp: 'TLP:AMBER', gather_s: 10, cooldown_s: 900 },
  'intel.hit': { on: 'intel.hit', cooldown_s: 3_600 },
  schedule: { on: 'schedule', at: '03:00', days: [], zone_minutes: 0 },
  webhook: { on: 'webhook', fields: {} },
};

/** "a, b" as a list; what is empty is no entry. */
export const listOf = (text: string): string[] => text.split(',').map((part) => part.trim()).filter((part) => part !== '');

/** Lines `field = variable` as a map; `host` and `__host__` mean the same variable. */
export function fieldsOf(text: string): Record<string, string> {
  const fields: Record<string, string> = {};
  for (const line of text.split('\n')) {
    const at = line.lastIndexOf('=');
    const [field, name] = [line.slice(0, Math.max(at, 0)).trim(), line.slice(at + 1).trim()];
    if (at > 0 && field !== '' && name !== '') fields[field] = name.startsWith('__') ? name : `__${name}__`;
  }
  return fields;
}

export const fieldsText = (fields: Record<string, string>): string => Object.entries(fields).map(([field, name]) => `${field} = ${name}`).join('\n');
