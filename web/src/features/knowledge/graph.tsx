import { useQueries, useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { lazy, Suspense, useCallback, useMemo, useState } from 'react';
import { put, remove } from '@/api/client';
import { reads } from '@/api/queries';
import { useAct } from '@/parts/act';
import { Button } from '@/parts/button';
import { count } from '@/parts/format';
import { Banner, Empty, Failed, Ghost, PageView, Panel } from '@/parts/page';
import { DataTable, type Column } from '@/parts/table';
import { t, tn, word } from '@/strings/pages';
import type { Positions } from '@/features/cti/bundle-graph';
import { bundleOf, joined, type Near } from './near';
import { AsKnown, keeping } from './past';
import '@/features/cti/cti.css';
import './knowledge.css';

const BundleGraph = lazy(() => import('@/features/cti/bundle-graph'));

/** Objects that are drawn; more are no picture any more. */
const MOST = 150;
/** Objects whose relations are opened at once. */
const MOST_OPEN = 20;

type Search = { id?: string; open?: string; to?: string; at?: string };

/** What hangs together, opened one object at a time; what is open stands in the address. */
export function GraphPage() {
  const { id = '', open = '', to = '', at = '' } = useSearch({ strict: false }) as Search;
  const navigate = useNavigate();
  const [chosen, setChosen] = useState<string | null>(null);
  const opened = useMemo(() => [...new Set([id, ...open.split(',')])].filter(Boolean).slice(0, MOST_OPEN), [id, open]);
  const parts = useQueries({ queries: opened.map((one) => reads.intelRelations(one, at)) });
  const path = useQuery({ ...reads.intelPath(id, to, at), enabled: id !== '' && to !== '' });
  const stamp = [...parts.map((one) => one.dataUpdatedAt), path.dataUpdatedAt].join(' ');
  // The stamp stands for the answers: their list is new at every drawing.
  // eslint-disable-next-line react-hooks/exhaustive-deps
  const whole = useMemo(() => joined([...(path.data ? [path.data] : []), ...parts.flatMap((one) => (one.data ? [one.data] : []))], MOST), [stamp]);
  const go = (next: Search) => void navigate({ to: '/graph', search: { id, ...(open && { open }), ...(to && { to }), ...keeping(at), ...next } });
  const failed = parts.find((one) => one.isError)?.error ?? path.error;
  const name = whole.objects.find((one) => one.id === id)?.name ?? id;
  return (
    <PageView
      title={id === '' ? t('graph.title') : tn('graph.around', whole.objects.length, { name })}
      crumb={id === '' ? { to: '/knowledge', text: t('nav.knowledge') } : { to: `/knowledge/${encodeURIComponent(id)}`, text: t('know.object'), search: keeping(at) as Record<string, string> }}
      lead={<>{t('graph.lead')}<AsKnown at={at} now={{ to: '/graph', search: { id } }} /></>}
    >
      <div className="stack wide">
        {id === '' && <Empty title={t('graph.none')}>{t('graph.none_why')}</Empty>}
        {failed && <Failed error={failed} />}
        {path.data && <Banner tone={path.data.found ? 'good' : 'medium'} icon="info">{path.data.summary} <Button small plain onClick={() => void navigate({ to: '/graph', search: { id, ...(open && { open }), ...keeping(at) } })}>{t('graph.path_away')}</Button></Banner>}
        {whole.cut > 0 && <p className="small quiet">{t('graph.cut', { n: count(MOST), cut: count(whole.cut) })}</p>}
        {whole.objects.length > 0 && (
          <Panel title={t('know.relations')} flush>
            <Drawing id={id} near={whole} chosen={chosen} onChoose={setChosen} />
            {chosen && <Chosen id={chosen} own={id} at={at} near={whole} opened={opened} onOpen={(list) => go({ open: list.join(',') })} onPath={() => go({ to: chosen })} />}
            <Relations near={whole} at={at} />
          </Panel>
        )}
        {whole.objects.length === 0 && parts.some((one) => one.isLoading) && <section className="panel"><Ghost rows={6} /></section>}
      </div>
    </PageView>
  );
}

/** The picture, with where its objects were put before. */
function Drawing({ id, near, chosen, onChoose }: { id: string; near: Near; chosen: string | null; onChoose: (id: string | null) => void }) {
  const bundle = useMemo(() => bundleOf(near), [near]);
  const name = `graph ${id}`;
  const kept = useQuery(reads.layout(name));
  const keep = useAct((positions: Positions) => put(`/knowledge/layouts/${encodeURIComponent(name)}`, { positions }), ['layout']);
  const forget = useAct(() => remove(`/knowledge/layouts/${encodeURIComponent(name)}`), ['layout']);
  const choose = useCallback((one: string | null) => onChoose(one), [onChoose]);
  if (!kept.isFetched) return <Ghost rows={6} />;
  return (
    <>
      <Suspense fallback={<Ghost rows={6} />}>
        <BundleGraph bundle={bundle} chosen={chosen} onChoose={choose} layout={{ positions: kept.data?.positions ?? null, keep: keep.mutate, forget: () => forget.mutate(), busy: keep.isPending || forget.isPending }} />
      </Suspense>
      {(keep.isError || forget.isError) && <Failed error={keep.error ?? forget.error} />}
    </>
  );
}

interface ChosenProps {
  id: string;
  own: string;
  at: string;
  near: Near;
  opened: string[];
  onOpen: (list: string[]) => void;
  onPath: () => void;
}

function Chosen({ id, own, at, near, opened, onOpen, onPath }: ChosenProps) {
  const name = near.objects.find((one) => one.id === id)?.name || id;
  const others = opened.filter((one) => one !== own);
  const isOpen = opened.includes(id);
  return (
    <div className="row" style={{ padding: 16 }} role="group" aria-label={name}>
      <b>{name}</b>
      {id !== own && (isOpen ? <Button small plain onClick={() => onOpen(others.filter((one) => one !== id))}>{t('graph.close')}</Button> : <Button small plain disabled={opened.length >= MOST_OPEN} onClick={() => onOpen([...others, id])}>{t('graph.expand')}</Button>)}
      {id !== own && <Button small plain onClick={onPath}>{t('graph.path')}</Button>}
      <Link to="/knowledge/$id" params={{ id }} search={keeping(at)}>{t('graph.page')}</Link>
    </div>
  );
}

function Relations({ near, at }: { near: Near; at: string }) {
  const by = useMemo(() => new Map(near.objects.map((one) => [one.id, one])), [near]);
  const label = (id: string) => by.get(id)?.name || id;
  const end = (id: string) => <Link to="/knowledge/$id" params={{ id }} search={keeping(at)}>{label(id)} <span className="quiet">{word('stix', by.get(id)?.type ?? '')}</span></Link>;
  const columns: Column<Near['relations'][number]>[] = [
    { id: 'origin', head: t('know.from'), cell: (row) => end(row.origin), sort: (row) => label(row.origin) },
    { id: 'kind', head: t('know.relation'), cell: (row) => row.kind, sort: (row) => row.kind },
    { id: 'target', head: t('know.to'), cell: (row) => end(row.target), sort: (row) => label(row.target) },
  ];
  return <DataTable rows={near.relations} columns={columns} caption={t('know.relations')} rowKey={(row) => `${row.origin} ${row.kind} ${row.target}`} />;
}
