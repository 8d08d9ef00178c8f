// When a playbook starts by itself; in words for those who only read.
import { NativeSelect } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { putJson } from '@/api/client';
import type { AttackKind, AutomationLevel, Playbook, PlaybookDetail, PlaybookTrigger, Severity } from '@/api/types';
import { useMay } from '@/app/session';
import { useAct } from '@/parts/act';
import { Button } from '@/parts/button';
import { Check } from '@/parts/check';
import { Failed, Panel } from '@/parts/page';
import { sentence } from '@/parts/sentence';
import { t, word } from '@/strings/pages';
import '@/features/automation/automation.css';

const SEVERITIES: readonly Severity[] = ['low', 'medium', 'high', 'critical'];
const LEVELS: readonly AutomationLevel[] = ['act', 'ask', 'recommend'];
const KINDS: readonly AttackKind[] = ['scan', 'flood', 'command_and_control', 'brute_force', 'exfiltration', 'lateral_movement', 'false_command', 'replay', 'man_in_the_middle', 'model_attack', 'anomaly'];
const FIRST: PlaybookTrigger = { on: 'incidents.opened', min_severity: 'high', kinds: [], level: null };

export function TriggerPanel({ playbook }: { playbook: PlaybookDetail }) {
  const may = useMay('playbooks.write');
  const known = playbook.starts_on ?? null;
  return (
    <Panel title={t('trigger.title')} end={<span className="small soft">{sentence(playbook.trigger ?? t('trigger.by_hand'))}</span>}>
      {may ? <Editor key={JSON.stringify(known)} id={playbook.id} known={known} /> : <p className="soft">{t('trigger.may_not')}</p>}
    </Panel>
  );
}

function Editor({ id, known }: { id: string; known: PlaybookTrigger | null }) {
  const start = known ? { ...FIRST, ...known } : null;
  const [draft, setDraft] = useState(start);
  const save = useAct(() => putJson<Playbook>(`/playbooks/${encodeURIComponent(id)}/trigger`, { trigger: draft }), ['playbooks', 'incidents', 'ledger']);
  const set = (part: Partial<PlaybookTrigger>) => draft && setDraft({ ...draft, ...part });
  return (
    <form
      className="stack"
      onSubmit={(event) => {
        event.preventDefault();
        save.mutate();
      }}
    >
      <Check checked={draft !== null} onChange={(on) => setDraft(on ? (start ?? FIRST) : null)}>{t('trigger.on')}</Check>
      {draft && (
        <>
          <div className="auto-fields">
            <NativeSelect label={t('trigger.min_severity')} value={draft.min_severity} data={SEVERITIES.map((value) => ({ value, label: t('trigger.or_worse', { severity: word('severity', value) }) }))} onChange={(event) => set({ min_severity: event.currentTarget.value as Severity })} />
            <NativeSelect label={t('trigger.level')} value={draft.level ?? ''} data={[{ value: '', label: t('trigger.level_policy') }, ...LEVELS.map((value) => ({ value, label: word('auto.level', value) }))]} onChange={(event) => set({ level: event.currentTarget.value === '' ? null : (event.currentTarget.value as AutomationLevel) })} />
          </div>
          <fieldset className="auto-set">
            <legend>{t('trigger.kinds')}</legend>
            <div className="row">
              {KINDS.map((kind) => <Check key={kind} checked={draft.kinds.includes(kind)} onChange={(on) => set({ kinds: KINDS.filter((one) => (one === kind ? on : draft.kinds.includes(one))) })}>{sentence(word('finding.kind', kind))}</Check>)}
            </div>
            <p className="small quiet">{draft.kinds.length === 0 ? t('trigger.any_kind') : t('trigger.these_kinds')}</p>
          </fieldset>
        </>
      )}
      <div className="row">
        <Button type="submit" plain busy={save.isPending} disabled={JSON.stringify(draft) === JSON.stringify(start)}>{t('trigger.save')}</Button>
        <p className="small quiet">{t('trigger.bounded')} <Link to="/automation">{t('nav.automation')}</Link></p>
      </div>
      {save.isError && <Failed error={save.error} />}
    </form>
  );
}
