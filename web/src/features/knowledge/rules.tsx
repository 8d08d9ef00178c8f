import { FileInput, NumberInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { post, put, remove } from '@/api/client';
import { reads } from '@/api/queries';
import type { DecayKind, IntelDecay, Warninglist, WarninglistAdded } from '@/api/types';
import { useAct } from '@/parts/act';
import { Button } from '@/parts/button';
import { count } from '@/parts/format';
import { Failed, Loaded, PageView, Panel } from '@/parts/page';
import { DataTable, type Column } from '@/parts/table';
import { t, word } from '@/strings/pages';
import './knowledge.css';

type Weight = IntelDecay['sources'][number];

/** How long a word counts, how much each source weighs, and what raises nothing. */
export function RulesPage() {
  const decay = useQuery(reads.intelDecay());
  const lists = useQuery(reads.warninglists());
  return (
    <PageView title={t('rules.title')} crumb={{ to: '/knowledge', text: t('nav.knowledge') }} lead={t('rules.lead')}>
      <div className="stack wide">
        <Loaded query={decay}>{(data) => <Fading decay={data} />}</Loaded>
        <Loaded query={lists}>{(data) => <Lists lists={data} />}</Loaded>
      </div>
    </PageView>
  );
}

function Fading({ decay }: { decay: IntelDecay }) {
  const [changing, setChanging] = useState<DecayKind | null>(null);
  const act = useAct((change: object) => put('/knowledge/decay', change), ['knowledge'], () => setChanging(null));
  const columns: Column<DecayKind>[] = [
    { id: 'kind', head: t('rules.kind'), cell: (row) => row.kind, sort: (row) => row.kind },
    { id: 'lifetime', head: t('rules.lifetime'), cell: (row) => row.lifetime_days, sort: (row) => row.lifetime_days, right: true },
    { id: 'speed', head: t('rules.speed'), cell: (row) => row.decay_speed, sort: (row) => row.decay_speed, right: true },
    { id: 'threshold', head: t('rules.threshold'), cell: (row) => row.threshold, sort: (row) => row.threshold, right: true },
    { id: 'base', head: t('rules.base'), cell: (row) => row.default_base, sort: (row) => row.default_base, right: true },
    { id: 'by', head: t('rules.chosen'), cell: (row) => row.chosen_by ?? <span className="quiet">{t('rules.program')}</span>, sort: (row) => row.chosen_by ?? '' },
    { id: 'acts', head: '', cell: (row) => <Button small plain onClick={() => setChanging(row)} aria-label={t('rules.change_this', { kind: row.kind })}>{t('rules.change')}</Button> },
  ];
  const weights: Column<Weight>[] = [
    { id: 'name', head: t('know.col.source'), cell: (row) => row.name, sort: (row) => row.name },
    { id: 'weight', head: t('rules.weight'), cell: (row) => <WeightOf source={row} />, sort: (row) => row.weight, right: true },
  ];
  return (
    <>
      <Panel title={t('rules.decay')} flush>
        <p className="more-rows"><code className="wrap">{decay.formula}</code></p>
        {changing && <ChangeKind key={changing.kind} kind={changing} busy={act.isPending} save={act.mutate} />}
        {act.isError && <Failed error={act.error} />}
        <DataTable rows={decay.kinds} columns={columns} caption={t('rules.decay')} rowKey={(row) => row.kind} />
      </Panel>
      {decay.sources.length > 0 && (
        <Panel title={t('rules.weights')} flush><DataTable rows={decay.sources} columns={weights} caption={t('rules.weights')} rowKey={(row) => row.key} /></Panel>
      )}
    </>
  );
}

const NUMBERS = [['lifetime_days', 'rules.lifetime'], ['decay_speed', 'rules.speed'], ['threshold', 'rules.threshold'], ['default_base', 'rules.base']] as const;

function ChangeKind({ kind, busy, save }: { kind: DecayKind; busy: boolean; save: (change: object) => void }) {
  const [values, setValues] = useState<Record<string, number | string>>({});
  return (
    <form
      className="query-bar more-rows"
      onSubmit={(event) => {
        event.preventDefault();
        const chosen = Object.entries(values).filter(([, value]) => value !== '').map(([name, value]) => [name, Number(value)]);
        save({ kinds: { [kind.kind]: Object.fromEntries(chosen) } });
      }}
    >
      {NUMBERS.map(([name, label]) => (
        <NumberInput key={name} label={`${kind.kind}: ${t(label)}`} min={0} hideControls value={values[name] ?? kind[name]} onChange={(value) => setValues({ ...values, [name]: value })} />
      ))}
      <Button type="submit" busy={busy}>{t('rules.save')}</Button>
      {kind.chosen_by !== null && <Button plain disabled={busy} onClick={() => save({ reset: [kind.kind] })}>{t('rules.reset')}</Button>}
    </form>
  );
}

function WeightOf({ source }: { source: Weight }) {
  const [weight, setWeight] = useState<number | string>(source.weight);
  const act = useAct((percent: number) => put('/knowledge/decay', { sources: { [source.key]: percent } }), ['knowledge']);
  return (
    <span className="inline">
      <NumberInput aria-label={t('rules.weight_of', { name: source.name })} min={0} max={100} w={80} hideControls value={weight} onChange={setWeight} />
      <Button small plain disabled={weight === '' || Number(weight) === source.weight} busy={act.isPending} onClick={() => act.mutate(Number(weight))} aria-label={`${t('rules.save')}: ${source.name}`}>{t('rules.save')}</Button>
      {act.isError && <Failed error={act.error} />}
    </span>
  );
}

function Lists({ lists }: { lists: Warninglist[] }) {
  const [file, setFile] = useState<File | null>(null);
  const add = useAct(async (chosen: File) => post<WarninglistAdded>('/knowledge/warninglists', JSON.parse(await chosen.text())), ['knowledge'], () => setFile(null));
  const away = useAct((name: string) => remove(`/knowledge/warninglists/${encodeURIComponent(name)}`), ['knowledge']);
  const columns: Column<Warninglist>[] = [
    { id: 'name', head: t('rules.col.list'), cell: (row) => <>{row.name}<span className="small quiet" style={{ display: 'block' }}>{row.description}</span></>, sort: (row) => row.name },
    { id: 'matching', head: t('rules.col.matching'), cell: (row) => row.matching, sort: (row) => row.matching },
    { id: 'entries', head: t('rules.col.entries'), cell: (row) => count(row.entries), sort: (row) => row.entries, right: true },
    { id: 'origin', head: t('rules.col.origin'), cell: (row) => word('rules.origin', row.origin), sort: (row) => row.origin },
    { id: 'acts', head: '', cell: (row) => row.origin === 'loaded' && <Button small plain disabled={away.isPending} onClick={() => away.mutate(row.name)} aria-label={t('rules.list_remove_this', { name: row.name })}>{t('rules.list_remove')}</Button> },
  ];
  return (
    <Panel title={t('rules.lists')} flush>
      <form
        className="query-bar more-rows"
        onSubmit={(event) => {
          event.preventDefault();
          if (file) add.mutate(file);
        }}
      >
        <FileInput label={t('rules.list_file')} accept=".json,application/json" placeholder="list.json" value={file} onChange={setFile} />
        <Button type="submit" disabled={!file} busy={add.isPending}>{t('rules.list_add')}</Button>
      </form>
      {add.isError && <Failed error={add.error} />}
      {away.isError && <Failed error={away.error} />}
      {add.data && <p role="status" className="more-rows">{t('rules.list_added', { name: add.data.list.name, n: count(add.data.list.entries), left: count(add.data.list.left_out) })}</p>}
      <DataTable rows={lists} columns={columns} caption={t('rules.lists')} rowKey={(row) => `${row.origin} ${row.name}`} />
    </Panel>
  );
}
