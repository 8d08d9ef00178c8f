// The rules as fields; saved together, because the least of all of them holds.
import { NativeSelect, TextInput } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState, type ReactNode } from 'react';
import { ApiError, putTagged, type Tagged } from '@/api/client';
import { reads } from '@/api/queries';
import type { Automation, AutomationLevel, Severity } from '@/api/types';
import { useAct } from '@/parts/act';
import { Button } from '@/parts/button';
import { Banner, Failed, Panel } from '@/parts/page';
import { t, word } from '@/strings/pages';
import { MailFields } from './mail';
import { CRITICALITIES, inUnit, LEVELS, rulesOf, same, UNITS, zoneText, type Rules, type Unit } from './policy';

const MAX_TEXT_CHARS = 300;
const MAX_RULES = 200;
const MAX_ZONE_MIN = 14 * 60;
const levelOptions = LEVELS.map((value) => ({ value, label: word('auto.level', value) }));
const ZONES = Array.from({ length: (2 * MAX_ZONE_MIN) / 30 + 1 }, (_, at) => at * 30 - MAX_ZONE_MIN);

export function PolicyForm({ policy }: { policy: Tagged<Automation> }) {
  const now = rulesOf(policy);
  const [base, setBase] = useState(now);
  const [draft, setDraft] = useState(now);
  const take = (rules: Rules) => {
    setBase(rules);
    setDraft(rules);
  };
  const client = useQueryClient();
  // The version that the draft was made from, or that a person has said to replace.
  const [from, setFrom] = useState(policy.etag);
  const save = useAct((etag: string) => putTagged<Automation>('/automation', draft, etag), ['automation', 'incidents', 'ledger'], (kept) => {
    client.setQueryData(reads.automation().queryKey, kept);
    take(rulesOf(kept));
  });
  const changed = !same(draft, base);
  const moved = !same(now, base);
  // Somebody else saved, and nothing is at stake here: follow.
  if (moved && !changed && !save.isPending) take(now);
  // Only the stop was touched, or nothing: the newest version says the same rules.
  if (!moved && from !== policy.etag && !save.isPending) setFrom(policy.etag);
  const stale = save.error instanceof ApiError && save.error.problem.status === 412;
  const store = (etag: string) => save.mutate(etag, { onError: () => void client.invalidateQueries({ queryKey: ['automation'] }) });
  const set = (part: Partial<Rules>) => setDraft({ ...draft, ...part });
  return (
    <Panel title={t('auto.change')}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          store(from);
        }}
      >
        <div className="stack wide">
          <Levels draft={draft} set={set} />
          <QuietHours draft={draft} set={set} />
          <Limits draft={draft} set={set} />
          <NeverTouched draft={draft} set={set} />
          <Answers draft={draft} set={set} />
          <Group title={t('auto.mail')} why={t('auto.mail_why')}><MailFields links={draft.mail_links} set={(mail_links) => set({ mail_links })} /></Group>
        </div>
        <div className="auto-save stack tight">
          {moved && changed && !save.isPending && <Banner tone="medium">{t('auto.moved')} <Button small plain onClick={() => take(now)}>{t('auto.take_newer')}</Button> <Button small plain onClick={() => store(policy.etag)}>{t('auto.save_over')}</Button></Banner>}
          {save.isError && !(stale && moved) && <Failed error={save.error} />}
          <div className="row">
            <Button type="submit" busy={save.isPending} disabled={!changed}>{t('auto.save')}</Button>
            {changed && <Button plain onClick={() => take(now)}>{t('auto.undo')}</Button>}
            {save.isSuccess && !changed && <span role="status">{t('auto.saved')}</span>}
          </div>
        </div>
      </form>
    </Panel>
  );
}

interface Part { draft: Rules; set: (part: Partial<Rules>) => void }

function Group({ title, why, children }: { title: string; why: string; children: ReactNode }) {
  return (
    <fieldset className="auto-set">
      <legend>{title}</legend>
      <div className="stack tight"><p className="small quiet">{why}</p><div>{children}</div></div>
    </fieldset>
  );
}

function Levels({ draft, set }: Part) {
  return (
    <Group title={t('auto.levels')} why={t('auto.levels_why')}>
      <div className="auto-fields">
        {CRITICALITIES.map((one) => (
          <NativeSelect key={one} label={t('auto.level_on', { which: word('severity', one).toLowerCase() })} data={levelOptions} value={draft.levels[one] ?? 'ask'} onChange={(event) => set({ levels: { ...draft.levels, [one]: event.currentTarget.value as AutomationLevel } })} />
        ))}
      </div>
    </Group>
  );
}

/** A list of rules: change one, take one away, add one. */
function rows<T>(list: T[], keep: (list: T[]) => void) {
  return {
    change: (at: number, part: Partial<T>) => keep(list.map((one, index) => (index === at ? { ...one, ...part } : one))),
    away: (at: number) => keep(list.filter((_, index) => index !== at)),
    add: (one: T) => keep([...list, one]),
    full: list.length >= MAX_RULES,
  };
}

function Away({ onClick, of }: { onClick: () => void; of: string }) {
  return <Button plain onClick={onClick} aria-label={t('auto.away_this', { of })}>{t('auto.away')}</Button>;
}

function QuietHours({ draft, set }: Part) {
  const list = rows(draft.quiet, (quiet) => set({ quiet }));
  return (
    <Group title={t('auto.quiet')} why={t('auto.quiet_why')}>
      {draft.quiet.map((one, at) => (
        <div key={at} className="auto-rule quiet-rule">
          <TextInput type="time" required label={t('auto.from')} value={one.from} onChange={(event) => list.change(at, { from: event.currentTarget.value.slice(0, 5) })} />
          <TextInput type="time" required label={t('auto.until')} value={one.until} onChange={(event) => list.change(at, { until: event.currentTarget.value.slice(0, 5) })} />
          <NativeSelect label={t('auto.at_most_level')} data={levelOptions.filter(({ value }) => value !== 'act' || one.level === 'act')} value={one.level} onChange={(event) => list.change(at, { level: event.currentTarget.value as AutomationLevel })} />
          <Away onClick={() => list.away(at)} of={`${one.from}–${one.until}`} />
        </div>
      ))}
      <Button small plain disabled={list.full} onClick={() => list.add({ from: '22:00', until: '06:00', level: 'ask' })}>{t('auto.quiet_add')}</Button>
    </Group>
  );
}

/** Seconds as a number and a unit; the unit stays as chosen while the number is typed. */
function Span({ label, seconds, onChange }: { label: string; seconds: number; onChange: (seconds: number) => void }) {
  const [unit, setUnit] = useState<Unit>(() => inUnit(seconds).unit);
  const shown = seconds % UNITS[unit] === 0 ? { n: seconds / UNITS[unit], unit } : inUnit(seconds);
  return (
    <div className="auto-span">
      <TextInput type="number" required min={1} step={1} label={label} value={shown.n === 0 ? '' : shown.n} onChange={(event) => onChange(Math.round(Number(event.currentTarget.value)) * UNITS[shown.unit])} />
      <NativeSelect
        aria-label={t('auto.unit_of', { label })}
        value={shown.unit}
        data={(Object.keys(UNITS) as Unit[]).map((value) => ({ value, label: word('auto.unit', value) }))}
        onChange={(event) => {
          const next = event.currentTarget.value as Unit;
          setUnit(next);
          onChange(shown.n * UNITS[next]);
        }}
      />
    </div>
  );
}

function Limits({ draft, set }: Part) {
  const actuators = useQuery(reads.actuators());
  const list = rows(draft.limits, (limits) => set({ limits }));
  const names = (actuators.data ?? []).map((one) => one.name);
  return (
    <Group title={t('auto.limits')} why={t('auto.limits_why')}>
      {draft.limits.map((one, at) => {
        const verbs = actuators.data?.find(({ name }) => name === one.actuator)?.verbs.map((verb) => verb.verb) ?? [];
        return (
          <div key={at} className="auto-rule limit-rule">
            <TextInput required maxLength={MAX_TEXT_CHARS} label={t('auto.limit_name')} value={one.name} onChange={(event) => list.change(at, { name: event.currentTarget.value })} />
            <NativeSelect label={t('auto.limit_actuator')} data={[...new Set([one.actuator, ...names])]} value={one.actuator} onChange={(event) => list.change(at, { actuator: event.currentTarget.value, verbs: [] })} />
            <Verbs known={verbs} chosen={one.verbs} onChange={(next) => list.change(at, { verbs: next })} />
            <TextInput type="number" required min={0} step={1} label={t('auto.limit_at_most')} value={one.at_most} onChange={(event) => list.change(at, { at_most: Math.max(0, Math.round(Number(event.currentTarget.value))) })} />
            <Span label={t('auto.limit_within')} seconds={one.within_s} onChange={(within_s) => list.change(at, { within_s })} />
            <Away onClick={() => list.away(at)} of={one.name} />
          </div>
        );
      })}
      <Button small plain disabled={list.full} onClick={() => list.add({ name: '', actuator: names.find((name) => name === 'gateway') ?? names[0] ?? 'gateway', verbs: [], at_most: 10, within_s: 3600 })}>{t('auto.limit_add')}</Button>
    </Group>
  );
}

/** All verbs or one; several, as the command line may have set them, stay as they are until another is chosen. */
function Verbs({ known, chosen, onChange }: { known: string[]; chosen: string[]; onChange: (verbs: string[]) => void }) {
  const now = chosen.join(',');
  const several = chosen.length > 1 ? [{ value: now, label: chosen.join(', ') }] : [];
  const single = [...new Set([...(chosen.length === 1 ? chosen : []), ...known])].map((value) => ({ value, label: value }));
  return <NativeSelect label={t('auto.limit_verbs')} value={now} data={[{ value: '', label: t('auto.all_verbs') }, ...several, ...single]} onChange={(event) => onChange(event.currentTarget.value === '' ? [] : event.currentTarget.value.split(','))} />;
}

function NeverTouched({ draft, set }: Part) {
  const list = rows(draft.never, (never) => set({ never }));
  return (
    <Group title={t('auto.never')} why={t('auto.never_why')}>
      {draft.never.map((one, at) => (
        <div key={at} className="auto-rule never-rule">
          <TextInput required maxLength={MAX_TEXT_CHARS} label={t('auto.never_what')} placeholder="10.0.0.0/8" value={one.what} onChange={(event) => list.change(at, { what: event.currentTarget.value })} />
          <TextInput required maxLength={MAX_TEXT_CHARS} label={t('auto.reason')} value={one.reason} onChange={(event) => list.change(at, { reason: event.currentTarget.value })} />
          <Away onClick={() => list.away(at)} of={one.what} />
        </div>
      ))}
      <Button small plain disabled={list.full} onClick={() => list.add({ what: '', reason: '' })}>{t('auto.never_add')}</Button>
    </Group>
  );
}

function Answers({ draft, set }: Part) {
  const zones = [...new Set([...ZONES, draft.zone_minutes])].sort((a, b) => a - b);
  return (
    <Group title={t('auto.answers')} why={t('auto.answers_why')}>
      <div className="auto-fields">
        <NativeSelect label={t('auto.two')} value={draft.two_persons_from ?? ''} data={[{ value: '', label: t('auto.two_never') }, ...CRITICALITIES.map((value) => ({ value, label: t('auto.two_from', { which: word('severity', value).toLowerCase() }) }))]} onChange={(event) => set({ two_persons_from: event.currentTarget.value === '' ? null : (event.currentTarget.value as Severity) })} />
        <Span label={t('auto.escalate')} seconds={draft.escalate_after_s} onChange={(escalate_after_s) => set({ escalate_after_s })} />
        <Span label={t('auto.expire')} seconds={draft.expire_after_s} onChange={(expire_after_s) => set({ expire_after_s })} />
        <NativeSelect label={t('auto.zone')} value={`${draft.zone_minutes}`} data={zones.map((value) => ({ value: `${value}`, label: zoneText(value) }))} onChange={(event) => set({ zone_minutes: Number(event.currentTarget.value) })} />
      </div>
    </Group>
  );
}
