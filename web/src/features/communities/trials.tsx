// What the policies must answer: tests with how they go now, one more, and running them again.
import { Checkbox, NativeSelect, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { putJson } from '@/api/client';
import { reads } from '@/api/queries';
import type { SharingTestRun } from '@/api/types';
import { useMay } from '@/app/session';
import { useAct } from '@/parts/act';
import { Button } from '@/parts/button';
import { Empty, Failed, Loaded, Panel } from '@/parts/page';
import { Sure } from '@/parts/sure';
import { DataTable, type Column } from '@/parts/table';
import { YesNo } from '@/parts/tags';
import { t, word } from '@/strings/pages';
import { TLP } from './list';
import { EMPTY, trial, type TrialDraft } from './trial-draft';

const KINDS = ['operator', 'cert', 'authority', 'vendor', 'other'];
const PAPS = ['PAP:CLEAR', 'PAP:GREEN', 'PAP:AMBER', 'PAP:RED'];
const ORIGINS = ['own', 'peer', 'feed', 'import', 'misp', 'taxii'];
const row = { alignItems: 'flex-end', flexWrap: 'wrap' } as const;

type Trial = SharingTestRun['test'] | ReturnType<typeof trial>;

export function Trials() {
  const runs = useQuery(reads.sharingTests());
  const may = useMay('sharing.write');
  const keep = useAct((tests: Trial[]) => putJson('/sharing/tests', { tests }), ['sharing']);
  const all = (runs.data ?? []).map((run) => run.test);
  const acts = may && runs.data !== undefined;
  return (
    <Panel title={t('policy.tests')} flush end={<Button small plain busy={runs.isFetching} onClick={() => void runs.refetch()}>{t('policy.run')}</Button>}>
      <Loaded query={runs}>
        {(list) => (list.length === 0 ? <Empty title={t('policy.no_tests')}>{t('policy.no_tests_why')}</Empty> : <Runs runs={list} acts={may} busy={keep.isPending} onRemove={(name) => keep.mutate(all.filter((one) => one.name !== name))} />)}
      </Loaded>
      {keep.isError && <Failed error={keep.error} />}
      {acts && <NewTrial taken={all.map((one) => one.name)} busy={keep.isPending} onKeep={(one) => keep.mutateAsync([...all, one])} />}
    </Panel>
  );
}

function Runs({ runs, acts, busy, onRemove }: { runs: SharingTestRun[]; acts: boolean; busy: boolean; onRemove: (name: string) => void }) {
  const columns: Column<SharingTestRun>[] = [
    { id: 'name', head: t('policy.col.test'), cell: (run) => run.test.name, sort: (run) => run.test.name },
    { id: 'expected', head: t('policy.col.expected'), cell: (run) => t(run.test.expected ? 'policy.goes' : 'policy.stays'), sort: (run) => Number(run.test.expected) },
    { id: 'passed', head: t('policy.col.passed'), cell: (run) => <YesNo yes={run.result.passed} word={t(run.result.passed ? 'policy.holds' : 'policy.fails')} />, sort: (run) => Number(run.result.passed) },
    { id: 'reason', head: t('policy.col.why'), cell: (run) => run.result.reason },
    { id: 'acts', head: '', cell: (run) => acts && <Sure small text={t('policy.remove')} of={run.test.name} sure={t('policy.remove_sure')} busy={busy} onSure={() => onRemove(run.test.name)} />, right: true },
  ];
  return <DataTable rows={runs} columns={columns} caption={t('policy.tests')} rowKey={(run) => run.test.name} />;
}

function NewTrial({ taken, busy, onKeep }: { taken: string[]; busy: boolean; onKeep: (one: Trial) => Promise<unknown> }) {
  const [draft, setDraft] = useState<TrialDraft>(EMPTY);
  const communities = useQuery(reads.communities());
  const set = (change: Partial<TrialDraft>) => setDraft((before) => ({ ...before, ...change }));
  const exists = taken.includes(draft.name.trim());
  const text = (field: 'recipient' | 'sector' | 'country' | 'type' | 'confidence' | 'labels' | 'source', width: number, more = {}) => <TextInput label={t(`policy.trial.${field}`)} w={width} value={draft[field]} onChange={(event) => set({ [field]: event.currentTarget.value })} {...more} />;
  return (
    <form
      className="stack"
      style={{ padding: 16 }}
      onSubmit={(event) => {
        event.preventDefault();
        // What went wrong stands above the form.
        onKeep(trial(draft)).then(() => setDraft(EMPTY), () => undefined);
      }}
    >
      <h3>{t('policy.trial.new')}</h3>
      <div className="row" style={row}>
        <TextInput label={t('policy.trial.name')} required maxLength={120} w={280} value={draft.name} onChange={(event) => set({ name: event.currentTarget.value })} error={exists ? t('policy.trial.taken') : undefined} />
        <NativeSelect label={t('policy.trial.expected')} data={[{ value: 'yes', label: t('policy.goes') }, { value: 'no', label: t('policy.stays') }]} value={draft.expected ? 'yes' : 'no'} onChange={(event) => set({ expected: event.currentTarget.value === 'yes' })} />
      </div>
      <div className="row" style={row} role="group" aria-label={t('policy.trial.to')}>
        <NativeSelect label={t('policy.trial.kind')} data={KINDS.map((value) => ({ value, label: word('circle.kind', value) }))} value={draft.kind} onChange={(event) => set({ kind: event.currentTarget.value })} />
        {text('recipient', 180)}
        {text('sector', 140, { maxLength: 80 })}
        {text('country', 90, { maxLength: 2 })}
        <NativeSelect label={t('policy.trial.community')} data={[{ value: '', label: t('policy.trial.none') }, ...(communities.data ?? []).map((one) => ({ value: one.id, label: one.name }))]} value={draft.community} onChange={(event) => set({ community: event.currentTarget.value })} />
        {draft.community !== '' && <Checkbox label={t('policy.trial.through')} checked={draft.through} onChange={(event) => set({ through: event.currentTarget.checked })} />}
      </div>
      <div className="row" style={row} role="group" aria-label={t('policy.trial.object')}>
        {text('type', 160, { required: true })}
        <NativeSelect label={t('policy.trial.tlp')} data={TLP} value={draft.tlp} onChange={(event) => set({ tlp: event.currentTarget.value })} />
        <NativeSelect label={t('policy.trial.pap')} data={[{ value: '', label: t('policy.trial.none') }, ...PAPS]} value={draft.pap} onChange={(event) => set({ pap: event.currentTarget.value })} />
        {text('confidence', 110, { type: 'number', min: 0, max: 100 })}
        {text('labels', 200)}
        <NativeSelect label={t('policy.trial.origin')} data={ORIGINS.map((value) => ({ value, label: word('preview.said', value) }))} value={draft.origin} onChange={(event) => set({ origin: event.currentTarget.value })} />
        {draft.origin !== 'own' && text('source', 180, { maxLength: 120 })}
        <Button type="submit" plain disabled={exists} busy={busy}>{t('policy.trial.add')}</Button>
      </div>
    </form>
  );
}
