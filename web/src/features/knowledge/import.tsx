import { FileInput, NativeSelect, TextInput } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { query, upload } from '@/api/client';
import { reads } from '@/api/queries';
import type { ImportProblem, ImportState } from '@/api/types';
import { useMay } from '@/app/session';
import { useAct } from '@/parts/act';
import { Button } from '@/parts/button';
import { bytes, count } from '@/parts/format';
import { Guide } from '@/parts/empty';
import { Banner, Failed, Ghost, Loaded, PageView, Panel } from '@/parts/page';
import { DataTable, type Column } from '@/parts/table';
import { PlainTag } from '@/parts/tags';
import { Wall } from '@/parts/time';
import { t, tn, word } from '@/strings/pages';

const LABELS = ['clear', 'green', 'amber', 'amber+strict', 'red'];
const OUTCOMES = ['new', 'updated', 'older', 'same', 'conflicts', 'refused'] as const;
const LOOK = { waiting: ['low', 'dots'], storing: ['medium', 'dots'], done: ['good', 'check'], failed: ['critical', 'slash'] } as const;

const left = (one: ImportState) => one.refused + one.conflicts;

/** STIX bundles come in; the node goes on with them when this page is gone. */
export function ImportPage() {
  const { id = '' } = useSearch({ strict: false }) as { id?: string };
  const imports = useQuery(reads.imports());
  const may = useMay('knowledge.import');
  const all = imports.data ?? [];
  const shown = all.find((one) => one.id === id) ?? all[0];
  const open = all.filter((one) => one.ended_at === null).length;
  useFresh(open);
  return (
    <PageView title={open > 0 ? tn('know.import_open', open) : t('know.import_title')} crumb={{ to: '/knowledge', text: t('nav.knowledge') }} lead={t('know.import_lead')}>
      <div className="stack wide">
        {may && <Bring />}
        {imports.data === undefined ? <Loaded query={imports} ghost={<section className="panel"><Ghost rows={3} /></section>}>{() => null}</Loaded> : shown && <Progress key={shown.id} one={shown} />}
        {all.length > 1 && <Panel title={t('know.imports')} flush><DataTable rows={all} columns={columns} caption={t('know.imports')} rowKey={(row) => row.id} door={(row) => ({ to: '/knowledge/import', search: { id: row.id } })} /></Panel>}
        {imports.data && all.length === 0 && <section className="panel"><Guide name="imports" title={t('know.no_imports')} why={t('know.no_imports_why')} /></section>}
      </div>
    </PageView>
  );
}

/** What is known has changed once an import has ended. */
function useFresh(open: number) {
  const client = useQueryClient();
  useEffect(() => {
    for (const root of ['knowledge', 'intel-sources']) void client.invalidateQueries({ queryKey: [root] });
  }, [client, open]);
}

const State = ({ one }: { one: ImportState }) => <PlainTag tone={LOOK[one.state][0]} shape={LOOK[one.state][1]}>{word('know.import_state', one.state)}</PlainTag>;

const columns: Column<ImportState>[] = [
  { id: 'name', head: t('know.import_file'), cell: (row) => row.name || t('know.import_unnamed'), sort: (row) => row.name },
  { id: 'state', head: t('know.import_is'), cell: (row) => <State one={row} />, sort: (row) => row.state },
  { id: 'objects', head: t('know.import_objects'), cell: (row) => count(row.objects), sort: (row) => row.objects, right: true },
  { id: 'new', head: word('know.outcome', 'new'), cell: (row) => count(row.new), sort: (row) => row.new, right: true },
  { id: 'left', head: t('know.import_left'), cell: (row) => count(left(row)), sort: (row) => left(row), right: true },
  { id: 'made', head: t('know.import_made'), cell: (row) => <Wall at={row.made_at} relative />, sort: (row) => row.made_at },
];

function Meter({ share, label }: { share: number; label: string }) {
  return (
    <div className="stack tight">
      <span className="small soft num">{label}</span>
      <div className="meter" role="progressbar" aria-label={label} aria-valuemin={0} aria-valuemax={100} aria-valuenow={Math.round(share * 100)}><span style={{ width: `${share * 100}%` }} /></div>
    </div>
  );
}

/** The file goes over while its progress shows; after that the node has it. */
function Bring() {
  const navigate = useNavigate();
  const [file, setFile] = useState<File | null>(null);
  const [label, setLabel] = useState('');
  const [tlp, setTlp] = useState('amber');
  const [over, setOver] = useState(0);
  const act = useAct(
    (chosen: File) => {
      setOver(0);
      return upload<ImportState>(`/intel/imports${query({ label, tlp, name: chosen.name })}`, chosen, setOver);
    },
    ['imports'],
    (begun) => {
      setFile(null);
      void navigate({ to: '/knowledge/import', search: { id: begun.id } });
    },
  );
  return (
    <Panel title={t('know.import_bring')}>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          if (file) act.mutate(file);
        }}
      >
        <div className="row" style={{ alignItems: 'flex-end', flexWrap: 'wrap' }}>
          <FileInput label={t('know.import_file')} accept=".json,application/json" value={file} onChange={setFile} placeholder="bundle.json" w={300} />
          <TextInput label={t('know.import_label')} value={label} maxLength={120} onChange={(event) => setLabel(event.currentTarget.value)} />
          <NativeSelect label={t('know.import_tlp')} value={tlp} onChange={(event) => setTlp(event.currentTarget.value)} data={LABELS.map((value) => ({ value, label: `TLP:${value.toUpperCase()}` }))} />
          <Button type="submit" disabled={!file} busy={act.isPending}>{t('know.import_go')}</Button>
        </div>
        {act.isPending && file && <Meter share={over} label={t('know.import_sent', { sent: bytes(file.size * over), all: bytes(file.size) })} />}
        {act.isError && <Failed error={act.error} />}
      </form>
    </Panel>
  );
}

/** How far one import got, and what of it was not stored. */
function Progress({ one }: { one: ImportState }) {
  const share = one.state === 'done' ? 1 : one.objects > 0 ? one.settled / one.objects : 0;
  return (
    <Panel title={one.name || t('know.import_unnamed')} end={<State one={one} />}>
      <div className="stack">
        {one.ended_at === null && <Meter share={share} label={one.state === 'waiting' ? t('know.import_reading', { size: bytes(one.bytes) }) : t('know.import_settled', { n: count(one.settled), all: count(one.objects) })} />}
        {one.state === 'failed' && <Banner tone="critical" icon="incident"><p>{one.error}</p><p className="small">{t('know.import_again')}</p></Banner>}
        <div role="status"><dl className="facts">
          <div style={{ display: 'contents' }}><dt>{t('know.import_objects')}</dt><dd>{count(one.objects)}</dd></div>
          {OUTCOMES.map((name) => (
            <div key={name} style={{ display: 'contents' }}><dt>{word('know.outcome', name)}</dt><dd>{count(one[name])}</dd></div>
          ))}
        </dl></div>
        <Problems one={one} />
      </div>
    </Panel>
  );
}

const problemColumns: Column<ImportProblem>[] = [
  { id: 'index', head: t('know.import_index'), cell: (row) => row.index, sort: (row) => row.index, right: true },
  { id: 'id', head: t('know.import_id'), cell: (row) => <code className="wrap">{row.id || '–'}</code>, sort: (row) => row.id },
  { id: 'reason', head: t('know.import_reason'), cell: (row) => row.reason, sort: (row) => row.reason },
];

function Problems({ one }: { one: ImportState }) {
  const found = useQuery(reads.importProblems(one.id, left(one)));
  const rows = found.data ?? [];
  if (left(one) === 0) return null;
  return (
    <div className="stack">
      {found.isError && <Failed error={found.error} retry={found.refetch} />}
      <p className="small quiet">
        {rows.length < left(one) && <>{t('know.import_cut', { n: count(rows.length), all: count(left(one)) })} </>}
        <a href={`/api/v1/intel/imports/${one.id}/problems`} download={`${one.name || 'import'}-not-stored.json`}>{t('know.import_save')}</a>
      </p>
      {rows.length > 0 && <DataTable rows={rows} columns={problemColumns} caption={t('know.import_problems')} rowKey={(row) => `${row.index}`} />}
    </div>
  );
}
