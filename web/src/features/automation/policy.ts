// The policy of automation in words, and what of it holds at a moment. Pure: no clock, no network.
import type { Automation, AutomationLevel, Severity } from '@/api/types';
import { count } from '@/parts/format';
import { t, tn, word } from '@/strings/pages';

/** Criticalities, the least first. */
export const CRITICALITIES: readonly Severity[] = ['low', 'medium', 'high', 'critical'];
/** Levels, the least first. */
export const LEVELS: readonly AutomationLevel[] = ['recommend', 'ask', 'act'];
const DAY_MIN = 24 * 60;

export type Rules = Omit<Automation, 'stopped'>;
type Quiet = Automation['quiet'][number];

const least = (levels: AutomationLevel[]): AutomationLevel => LEVELS.find((level) => levels.includes(level)) ?? 'act';

/** Minutes since midnight of "22:30", or null where it is no time. */
export function minutesOf(text: string): number | null {
  const found = /^([01]\d|2[0-3]):([0-5]\d)$/.exec(text);
  return found ? Number(found[1]) * 60 + Number(found[2]) : null;
}

/** Whether quiet hours hold at a minute of the day; the same time twice is the whole day. */
export function quietAt({ from, until }: Quiet, minute: number): boolean {
  const [start, end] = [minutesOf(from), minutesOf(until)];
  if (start === null || end === null) return false;
  const long = (end - start + DAY_MIN) % DAY_MIN;
  return long === 0 || (minute - start + DAY_MIN) % DAY_MIN < long;
}

/** The minute of the day on the clock of the quiet hours. */
export function minuteOfDay(zoneMinutes: number, now: number): number {
  return (((Math.floor(now / 60_000) + zoneMinutes) % DAY_MIN) + DAY_MIN) % DAY_MIN;
}

export const quietNow = (rules: Rules, now: number): Quiet[] => rules.quiet.filter((quiet) => quietAt(quiet, minuteOfDay(rules.zone_minutes, now)));

/** How far playbooks go now on assets of each criticality, before what a trigger says. A criticality that is not named asks. */
export function levelsNow(rules: Rules, now: number): Record<Severity, AutomationLevel> {
  const quiet = quietNow(rules, now).map((one) => one.level);
  return Object.fromEntries(CRITICALITIES.map((one) => [one, least([rules.levels[one] ?? 'ask', ...quiet])])) as Record<Severity, AutomationLevel>;
}

/** "low, medium and high" */
export function listText(names: string[]): string {
  return names.length < 2 ? (names[0] ?? '') : t('auto.and', { first: names.slice(0, -1).join(', '), last: names.at(-1) ?? '' });
}

const severities = (list: Severity[]) => listText(list.map((one) => word('severity', one).toLowerCase()));
const byLevel = (levels: Record<Severity, AutomationLevel>) =>
  [...LEVELS].reverse().map((level) => [level, CRITICALITIES.filter((one) => levels[one] === level)] as const).filter(([, which]) => which.length > 0);

/** What holds now, as the sentence of the page: the furthest level, and where it is less. */
export function holdsText(rules: Rules, now: number): string {
  const [[first] = ['act' as const], ...rest] = byLevel(levelsNow(rules, now));
  const base = t('auto.title', { does: word('auto.does', first) });
  const exceptions = rest.map(([level, which]) => t('auto.except', { which: severities([...which]), does: word('auto.does', level) }));
  const quiet = quietNow(rules, now)[0];
  return [base, ...exceptions].join(', ') + (quiet ? t('auto.title_quiet', { until: quiet.until }) : '');
}

/** "UTC+02:00" */
export function zoneText(minutes: number): string {
  const size = Math.abs(minutes);
  return `UTC${minutes < 0 ? '−' : '+'}${String(Math.floor(size / 60)).padStart(2, '0')}:${String(size % 60).padStart(2, '0')}`;
}

export interface Line { key: string; text: string; now?: boolean }

/** Each rule of the policy as a sentence. */
export function linesOf(rules: Rules, now: number): Line[] {
  const levels = Object.fromEntries(CRITICALITIES.map((one) => [one, rules.levels[one] ?? 'ask'])) as Record<Severity, AutomationLevel>;
  const minute = minuteOfDay(rules.zone_minutes, now);
  return [
    ...byLevel(levels).map(([level, which]) => ({ key: level, text: t('auto.line.level', { which: severities([...which]), does: word('auto.does', level) }) })),
    ...rules.quiet.map((quiet, at) => ({ key: `quiet ${at}`, text: t(`auto.line.quiet.${quiet.level}`, { from: quiet.from, until: quiet.until, zone: zoneText(rules.zone_minutes) }), now: quietAt(quiet, minute) })),
    { key: 'persons', text: rules.two_persons_from ? t('auto.line.two', { which: word('severity', rules.two_persons_from).toLowerCase() }) : t('auto.line.one') },
    { key: 'answers', text: t('auto.line.answers', { again: spanWords(rules.escalate_after_s), over: spanWords(rules.expire_after_s) }) },
    ...(rules.mail_links.on ? [{ key: 'mail', text: t('auto.line.mail', { who: listText([...rules.mail_links.roles, ...rules.mail_links.persons]) }) }] : []),
    ...rules.limits.map((limit) => ({ key: `limit ${limit.name}`, text: t('auto.line.limit', { name: limit.name, n: count(limit.at_most), what: [limit.actuator, limit.verbs.length === 0 ? t('auto.all_verbs') : limit.verbs.join(', ')].join(' · '), span: spanWords(limit.within_s) }) })),
    ...rules.never.map((one) => ({ key: `never ${one.what}`, text: t('auto.line.never', one) })),
  ];
}

/** A number of seconds as the largest unit that says it whole. */
export const UNITS = { s: 1, min: 60, h: 3600, d: 86_400 } as const;
export type Unit = keyof typeof UNITS;
export function inUnit(seconds: number): { n: number; unit: Unit } {
  const unit = (['d', 'h', 'min'] as const).find((one) => seconds > 0 && seconds % UNITS[one] === 0) ?? 's';
  return { n: seconds / UNITS[unit], unit };
}

/** "15 minutes", "1 day" */
export function spanWords(seconds: number): string {
  const { n, unit } = inUnit(seconds);
  return tn(`auto.span.${unit}`, n);
}

/** "ana, ben" as a list, each name once. */
export const namesOf = (text: string): string[] => [...new Set(text.split(',').map((name) => name.trim()).filter((name) => name !== ''))];

/** The rules without who stopped them and which version they are: what is saved, and what is compared. */
export function rulesOf({ stopped: _, etag: __, ...rules }: Automation & { etag?: string }): Rules {
  return rules;
}
export const same = (a: Rules, b: Rules) => JSON.stringify(a) === JSON.stringify(b);
