// The form of one trigger: what it listens to, then what belongs to that.
import { NativeSelect, NumberInput, Textarea, TextInput } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { useState, type ReactNode } from 'react';
import { post, putJson } from '@/api/client';
import type { AttackKind, AutomationLevel, PlaybookDetail, PlaybookTrigger, PlaybookTriggerMade, PlaybookTriggerState, Severity, TriggerOn, Weekday } from '@/api/types';
import { useAct } from '@/parts/act';
import { Button } from '@/parts/button';
import { Check } from '@/parts/check';
import { Failed } from '@/parts/page';
import { sentence } from '@/parts/sentence';
import { t, word } from '@/strings/pages';
import { FIRST, fieldsOf, fieldsText, listOf } from './triggers';

const ONS: readonly TriggerOn[] = ['incidents.opened', 'incidents.received', 'findings.raised', 'intel.new', 'intel.hit', 'schedule', 'webhook'];
const SEVERITIES: readonly Severity[] = ['low', 'medium', 'high', 'critical'];
const LEVELS: readonly AutomationLevel[] = ['act', 'ask', 'recommend'];
const KINDS: readonly AttackKind[] = ['scan', 'flood', 'command_and_control', 'brute_force', 'exfiltration', 'lateral_movement', 'false_command', 'replay', 'man_in_the_middle', 'model_attack', 'anomaly'];
const DAYS: readonly Weekday[] = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];
const LABELS = ['TLP:CLEAR', 'TLP:GREEN', 'TLP:AMBER', 'TLP:AMBER+STRICT', 'TLP:RED'];

interface FormProps {
  playbook: PlaybookDetail;
  known?: PlaybookTriggerState;
  done: (made: PlaybookTriggerMade) => void;
  cancel: () => void;
}

export function TriggerForm({ playbook, known, done, cancel }: FormProps) {
  const [draft, setDraft] = useState<PlaybookTrigger>(known?.trigger ?? FIRST['incidents.opened']);
  const path = `/playbooks/${encodeURIComponent(playbook.id)}/triggers`;
  const save = useAct(
    () => (known ? putJson<PlaybookTriggerMade>(`${path}/${known.id}`, draft) : post<PlaybookTriggerMade>(`/playbooks/${encodeURIComponent(playbook.id)}/triggers`, draft)),
    ['playbooks', 'incidents', 'ledger'],
    done,
  );
  const set = (part: Partial<PlaybookTrigger>) => setDraft({ ...draft, ...part });
  return (
    <form
      className="stack"
      aria-label={t(known ? 'trigger.edit' : 'trigger.add')}
      onSubmit={(event) => {
        event.preventDefault();
        save.mutate();
      }}
    >
      <div className="auto-fields">
        <NativeSelect label={t('trigger.on')} value={draft.on} data={ONS.map((value) => ({ value, label: word('trigger.on', value) }))} onChange={(event) => setDraft(FIRST[event.currentTarget.value as TriggerOn])} />
        <NativeSelect label={t('trigger.level')} value={draft.level ?? ''} data={[{ value: '', label: t('trigger.level_policy') }, ...LEVELS.map((value) => ({ value, label: word('auto.level', value) }))]} onChange={(event) => set({ level: event.currentTarget.value === '' ? null : (event.currentTarget.value as AutomationLevel) })} />
        <Fields draft={draft} set={set} />
      </div>
      {draft.kinds && <Kinds kinds={draft.kinds} set={set} />}
      {draft.on === 'webhook' && <Webhook draft={draft} set={set} playbook={playbook} />}
      <div className="row">
        <Button type="submit" plain busy={save.isPending}>{t('trigger.save')}</Button>
        <Button plain onClick={cancel}>{t('trigger.cancel')}</Button>
        <p className="small quiet">{t('trigger.bounded')} <Link to="/automation">{t('nav.automation')}</Link></p>
      </div>
      {save.isError && <Failed error={save.error} />}
    </form>
  );
}

interface Part {
  draft: PlaybookTrigger;
  set: (part: Partial<PlaybookTrigger>) => void;
}

function Fields({ draft, set }: Part): ReactNode {
  switch (draft.on) {
    case 'incidents.opened': return <Least draft={draft} set={set} />;
    case 'incidents.received': return <Received draft={draft} set={set} />;
    case 'findings.raised': return <Findings draft={draft} set={set} />;
    case 'intel.new': return <News draft={draft} set={set} />;
    case 'intel.hit': return <><List name="sources" draft={draft} set={set} /><Seconds name="cooldown_s" least={0} most={604_800} draft={draft} set={set} /></>;
    case 'schedule': return <Schedule draft={draft} set={set} />;
    default: return null;
  }
}

function Least({ draft, set }: Part) {
  return <NativeSelect label={t('trigger.min_severity')} value={draft.min_severity ?? 'high'} data={SEVERITIES.map((value) => ({ value, label: t('trigger.or_worse', { severity: word('severity', value) }) }))} onChange={(event) => set({ min_severity: event.currentTarget.value as Severity })} />;
}

function Label({ draft, set }: Part) {
  return <NativeSelect label={t('trigger.tlp')} value={draft.tlp ?? 'TLP:AMBER'} data={LABELS} onChange={(event) => set({ tlp: event.currentTarget.value })} />;
}

function Received({ draft, set }: Part) {
  return (
    <>
      <Least draft={draft} set={set} />
      <List name="origins" draft={draft} set={set} />
      <Label draft={draft} set={set} />
    </>
  );
}

function Findings({ draft, set }: Part) {
  return (
    <>
      <Least draft={draft} set={set} />
      <NativeSelect label={t('trigger.min_criticality')} value={draft.min_criticality ?? ''} data={[{ value: '', label: t('trigger.any_criticality') }, ...SEVERITIES.map((value) => ({ value, label: word('severity', value) }))]} onChange={(event) => set({ min_criticality: event.currentTarget.value === '' ? null : (event.currentTarget.value as Severity) })} />
      <List name="places" draft={draft} set={set} />
      <List name="device_types" draft={draft} set={set} />
      <Seconds name="cooldown_s" least={0} most={604_800} draft={draft} set={set} />
      <Check checked={draft.known ?? false} onChange={(known) => set({ known })}>{t('trigger.known')}</Check>
    </>
  );
}

function News({ draft, set }: Part) {
  return (
    <>
      <List name="types" draft={draft} set={set} />
      <List name="labels" draft={draft} set={set} />
      <List name="sources" draft={draft} set={set} />
      <NumberInput label={t('trigger.min_confidence')} min={0} max={100} allowDecimal={false} value={draft.min_confidence ?? ''} onChange={(value) => set({ min_confidence: value === '' ? null : Number(value) })} />
      <Label draft={draft} set={set} />
      <Seconds name="gather_s" least={1} most={3_600} draft={draft} set={set} />
      <Seconds name="cooldown_s" least={60} most={604_800} draft={draft} set={set} />
    </>
  );
}

function Schedule({ draft, set }: Part) {
  const daily = draft.every_s === null || draft.every_s === undefined;
  return (
    <>
      <NativeSelect label={t('trigger.when')} value={daily ? 'at' : 'every'} data={[{ value: 'at', label: t('trigger.when_at') }, { value: 'every', label: t('trigger.when_every') }]} onChange={(event) => set(event.currentTarget.value === 'at' ? { at: '03:00', every_s: null } : { at: null, every_s: 3_600, days: [] })} />
      {daily ? (
        <>
          <TextInput label={t('trigger.at')} type="time" required value={draft.at ?? ''} onChange={(event) => set({ at: event.currentTarget.value })} />
          <NumberInput label={t('trigger.zone')} min={-840} max={840} allowDecimal={false} value={draft.zone_minutes ?? 0} onChange={(value) => set({ zone_minutes: Number(value) })} />
          <fieldset className="auto-set">
            <legend>{t('trigger.days')}</legend>
            <span className="row">{DAYS.map((day) => <Check key={day} checked={(draft.days ?? []).includes(day)} onChange={(on) => set({ days: DAYS.filter((one) => (one === day ? on : (draft.days ?? []).includes(one))) })}>{word('trigger.day', day)}</Check>)}</span>
          </fieldset>
        </>
      ) : <Seconds name="every_s" least={60} most={2_678_400} draft={draft} set={set} />}
      <Check checked={draft.catch_up === 'skip'} onChange={(on) => set({ catch_up: on ? 'skip' : 'once' })}>{t('trigger.skip_missed')}</Check>
      <Check checked={draft.overlap ?? false} onChange={(overlap) => set({ overlap })}>{t('trigger.overlap')}</Check>
    </>
  );
}

function Webhook({ draft, set, playbook }: Part & { playbook: PlaybookDetail }) {
  const [text, setText] = useState(fieldsText(draft.fields ?? {}));
  const variables = (playbook.playbook as { playbook_variables?: Record<string, { external?: boolean }> }).playbook_variables ?? {};
  const external = Object.keys(variables).filter((name) => variables[name]?.external);
  return (
    <>
      <Textarea
        label={t('trigger.fields')}
        description={external.length === 0 ? t('trigger.no_external') : t('trigger.fields_why', { names: external.join(', ') })}
        autosize
        minRows={2}
        value={text}
        onChange={(event) => {
          setText(event.currentTarget.value);
          set({ fields: fieldsOf(event.currentTarget.value) });
        }}
      />
      <Check checked={draft.signed ?? false} onChange={(signed) => set({ signed })}>{t('trigger.signed')}</Check>
    </>
  );
}

function Kinds({ kinds, set }: { kinds: AttackKind[]; set: Part['set'] }) {
  return (
    <fieldset className="auto-set">
      <legend>{t('trigger.kinds')}</legend>
      <div className="row">
        {KINDS.map((kind) => <Check key={kind} checked={kinds.includes(kind)} onChange={(on) => set({ kinds: KINDS.filter((one) => (one === kind ? on : kinds.includes(one))) })}>{sentence(word('finding.kind', kind))}</Check>)}
      </div>
      <p className="small quiet">{kinds.length === 0 ? t('trigger.any_kind') : t('trigger.these_kinds')}</p>
    </fieldset>
  );
}

function List({ name, draft, set }: Part & { name: 'types' | 'labels' | 'sources' | 'origins' | 'places' | 'device_types' }) {
  const [text, setText] = useState((draft[name] ?? []).join(', '));
  return (
    <TextInput
      label={word('trigger.list', name)}
      placeholder={t('trigger.any')}
      value={text}
      onChange={(event) => {
        setText(event.currentTarget.value);
        set({ [name]: listOf(event.currentTarget.value) });
      }}
    />
  );
}

function Seconds({ name, least, most, draft, set }: Part & { name: 'cooldown_s' | 'gather_s' | 'every_s'; least: number; most: number }) {
  return <NumberInput label={word('trigger.seconds', name)} min={least} max={most} allowDecimal={false} required value={draft[name] ?? ''} onChange={(value) => set({ [name]: value === '' ? null : Number(value) })} />;
}
