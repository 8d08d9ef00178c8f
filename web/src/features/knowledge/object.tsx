import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { lazy, Suspense, useCallback, useMemo } from 'react';
import { put, remove } from '@/api/client';
import { reads } from '@/api/queries';
import type { IntelObject, IntelRelations } from '@/api/types';
import type { Positions } from '@/features/cti/bundle-graph';
import { useAct } from '@/parts/act';
import { count } from '@/parts/format';
import { Empty, Failed, Ghost, Loaded, PageView, Panel } from '@/parts/page';
import { DataTable, type Column } from '@/parts/table';
import { PlainTag, TlpTag } from '@/parts/tags';
import { Wall } from '@/parts/time';
import { t, tn, word } from '@/strings/pages';
import '@/features/cti/cti.css';
import { bundleOf } from './near';
import { AsKnown, keeping } from './past';
import { Sight } from './sight';
import { StandingOf } from './standing';
import './knowledge.css';

const BundleGraph = lazy(() => import('@/features/cti/bundle-graph'));

type Said = IntelObject['said'][number];
type Version = IntelObject['versions'][number];
type Named = IntelObject['values'][number];
type Relation = IntelRelations['relations'][number];

/** What people say of that they saw it; others are sighted by the indicator that names them. */
const SIGHTED = new Set(['indicator', 'malware', 'tool', 'attack-pattern', 'campaign', 'intrusion-set', 'infrastructure', 'threat-actor', 'vulnerability']);

/** Values that the node gives of one object at most. */
const MOST_VALUES = 200;

const said: Column<Said>[] = [
  { id: 'source', head: t('know.col.source'), cell: (row) => row.source, sort: (row) => row.source },
  { id: 'kind', head: t('know.said.kind'), cell: (row) => word('know.kind', row.kind), sort: (row) => row.kind },
  { id: 'confidence', head: t('know.col.confidence'), cell: (row) => row.confidence ?? '–', sort: (row) => row.confidence ?? -1, right: true },
  { id: 'first', head: t('know.said.first'), cell: (row) => <Wall at={row.first_at} />, sort: (row) => row.first_at },
  { id: 'last', head: t('know.said.last'), cell: (row) => <Wall at={row.last_at} relative />, sort: (row) => row.last_at },
];

const valuesAt = (at: string): Column<Named>[] => [
  { id: 'value', head: t('know.value'), cell: (row) => <Link to="/knowledge" search={keeping(at, `value:"${row.value}"`)}><code className="wrap">{row.value}</code></Link>, sort: (row) => row.value },
  { id: 'kind', head: t('know.col.type'), cell: (row) => row.kind, sort: (row) => row.kind },
  { id: 'held', head: t('know.held'), cell: (row) => <>{count(row.held)}{row.too_common && <> <PlainTag>{t('know.too_common')}</PlainTag></>}</>, sort: (row) => row.held, right: true },
  { id: 'standing', head: t('know.col.score'), cell: (row) => <StandingOf standing={row.standing} excused={row.excused_by} />, sort: (row) => row.standing?.score ?? -1 },
];

/** One object: what it says, who says so, since when, and what hangs on it. */
export function KnowledgeObject() {
  const { id } = useParams({ strict: false }) as { id: string };
  const { at = '' } = useSearch({ strict: false }) as { at?: string };
  const object = useQuery(reads.intelObject(id, at));
  const item = object.data?.item;
  const title = item ? t('know.object_title', { type: word('stix', item.type), name: item.name || item.id }) : t('know.object');
  return (
    <PageView title={title} crumb={{ to: '/knowledge', text: t('nav.knowledge'), search: keeping(at) }} lead={<><Lead data={object.data} /><AsKnown at={at} now={{ to: '/knowledge/$id', params: { id } }} /></>}>
      <Loaded query={object}>
        {(data) => (
          <div className="stack wide">
            {data.versions.length > 1 && <Versions versions={data.versions} id={id} at={at} />}
            <Neighbours id={id} at={at} />
            {at === '' && SIGHTED.has(data.item.type) && !data.item.revoked && <Sight id={id} />}
            {data.values.length > 0 && <Values rows={data.values} at={at} />}
            <Panel title={tn('know.said_by', data.said.length)} flush><DataTable rows={data.said} columns={said} caption={tn('know.said_by', data.said.length)} rowKey={(row) => row.source} /></Panel>
            <Panel title={t('know.body')}><pre className="code" tabIndex={0} aria-label={t('know.body')}>{JSON.stringify(data.object, null, 2)}</pre></Panel>
          </div>
        )}
      </Loaded>
    </PageView>
  );
}

function Values({ rows, at }: { rows: Named[]; at: string }) {
  return (
    <Panel title={t('know.values')} flush>
      <DataTable rows={rows} columns={valuesAt(at)} caption={t('know.values')} rowKey={(row) => `${row.kind} ${row.value}`} />
      {rows.length >= MOST_VALUES && <p className="small quiet more-rows">{t('know.more_values', { n: count(MOST_VALUES) })}</p>}
    </Panel>
  );
}

function Lead({ data }: { data: IntelObject | undefined }) {
  if (!data) return null;
  const description = typeof data.object.description === 'string' ? data.object.description : null;
  return (
    <>
      <span className="inline"><TlpTag value={data.item.tlp} />{data.item.revoked && <PlainTag tone="high" shape="diamond">{t('know.revoked')}</PlainTag>}<code className="wrap">{data.item.id}</code></span>
      {description && <p className="clamp">{description.length > 600 ? `${description.slice(0, 600)}…` : description}</p>}
    </>
  );
}

/** The versions as doors into the past: the page as it was known when each became known. */
function Versions({ versions, id, at }: { versions: Version[]; id: string; at: string }) {
  return (
    <Panel title={tn('know.versions', versions.length)}>
      <ol className="versions">
        {versions.map((one) => (
          <li key={one.known_at + (one.version ?? '')}>
            <Link to="/knowledge/$id" params={{ id }} search={{ at: one.known_at }} aria-current={at === one.known_at ? 'true' : undefined}>
              {one.version ? <Wall at={one.version} /> : t('know.no_version')}
            </Link>{' '}
            <span className="small quiet">{t('know.known_from', { source: one.source })} <Wall at={one.known_at} relative /></span>
            {one.revoked && <> <PlainTag>{t('know.revoked')}</PlainTag></>}
          </li>
        ))}
      </ol>
    </Panel>
  );
}

function Neighbours({ id, at }: { id: string; at: string }) {
  const near = useQuery(reads.intelRelations(id, at));
  const navigate = useNavigate();
  const kept = useQuery(reads.layout(id));
  const keep = useAct((positions: Positions) => put(`/knowledge/layouts/${encodeURIComponent(id)}`, { positions }), ['layout']);
  const forget = useAct(() => remove(`/knowledge/layouts/${encodeURIComponent(id)}`), ['layout']);
  const choose = useCallback((chosen: string | null) => void (chosen && chosen !== id && navigate({ to: '/knowledge/$id', params: { id: chosen }, search: keeping(at) })), [id, at, navigate]);
  const bundle = useMemo(() => (near.data ? bundleOf(near.data) : null), [near.data]);
  const names = useMemo(() => new Map(near.data?.objects.map((one) => [one.id, one.name || one.id])), [near.data]);
  const columns: Column<Relation>[] = [
    { id: 'origin', head: t('know.from'), cell: (row) => <End id={row.origin} own={id} at={at} name={names.get(row.origin)} />, sort: (row) => names.get(row.origin) ?? row.origin },
    { id: 'kind', head: t('know.relation'), cell: (row) => row.kind, sort: (row) => row.kind },
    { id: 'target', head: t('know.to'), cell: (row) => <End id={row.target} own={id} at={at} name={names.get(row.target)} />, sort: (row) => names.get(row.target) ?? row.target },
    { id: 'known', head: t('know.col.known'), cell: (row) => <Wall at={row.known_at} relative />, sort: (row) => row.known_at },
  ];
  return (
    <Panel title={t('know.relations')} end={<Link to="/graph" search={{ id, ...keeping(at) }}>{t('graph.open')}</Link>} flush>
      <Loaded query={near}>
        {(data) =>
          data.relations.length === 0 ? (
            <Empty title={t('know.alone')}>{t('know.alone_why')}</Empty>
          ) : (
            <>
              {bundle && data.objects.length <= 60 && kept.isFetched && (
                <Suspense fallback={<Ghost rows={6} />}>
                  <BundleGraph bundle={bundle} chosen={null} onChoose={choose} layout={{ positions: kept.data?.positions ?? null, keep: keep.mutate, forget: () => forget.mutate(), busy: keep.isPending || forget.isPending }} />
                </Suspense>
              )}
              {(keep.isError || forget.isError) && <Failed error={keep.error ?? forget.error} />}
              <DataTable rows={data.relations} columns={columns} caption={t('know.relations')} rowKey={(row) => `${row.origin} ${row.kind} ${row.target} ${row.told_by}`} />
              {data.next && <p className="small quiet more-rows">{t('know.more_relations')}</p>}
            </>
          )
        }
      </Loaded>
    </Panel>
  );
}

function End({ id, own, at, name }: { id: string; own: string; at: string; name: string | undefined }) {
  if (id === own) return <span className="soft">{t('know.this')}</span>;
  return name ? <Link to="/knowledge/$id" params={{ id }} search={keeping(at)}>{name}</Link> : <span className="quiet" title={t('know.spoken_of')}>{id}</span>;
}
