import { useQuery } from '@tanstack/react-query';
import { post } from '@/api/client';
import { reads } from '@/api/queries';
import type { CheckpointAgent, ProtectedService } from '@/api/types';
import { useMay } from '@/app/session';
import { useAct } from '@/parts/act';
import { Button } from '@/parts/button';
import { bytes, figure } from '@/parts/format';
import { Banner, Empty, Failed, Loaded, Panel } from '@/parts/page';
import { sentence } from '@/parts/sentence';
import { DataTable, type Column } from '@/parts/table';
import { PlainTag, YesNo } from '@/parts/tags';
import { Wall } from '@/parts/time';
import { Digest } from '@/parts/value';
import { t, tn, word } from '@/strings/pages';
import { newestGood, seconds } from './words';
import './recovery.css';

interface AgentsProps {
  onOpen: (service: string) => void;
}

/** Who protects what here, whether it works, and why not. */
export function Agents({ onOpen }: AgentsProps) {
  const agents = useQuery(reads.checkpointAgents());
  return (
    <Panel title={t('recovery.agents')} flush>
      <Loaded query={agents}>
        {(list) => (list.length === 0 ? <Empty title={t('recovery.agents_none')}>{t('recovery.agents_none_why')}</Empty> : <>{list.map((agent) => <Agent key={agent.agent} agent={agent} onOpen={onOpen} />)}</>)}
      </Loaded>
    </Panel>
  );
}

function Agent({ agent, onOpen }: AgentsProps & { agent: CheckpointAgent }) {
  const may = useMay('recovery.order');
  const act = useAct((order: { verb: 'take' | 'restart'; service: string }) => post('/recovery/orders', { ...order, agent: agent.agent }), ['recovery', 'ledger']);
  const { listing } = agent;
  const columns: Column<ProtectedService>[] = [
    { id: 'service', head: t('recovery.col.service'), cell: (row) => <span className="stack tight"><b>{row.service}</b><YesNo yes={row.running} word={t(row.running ? 'recovery.runs' : 'recovery.stands')} /></span>, sort: (row) => row.service },
    { id: 'backend', head: t('recovery.col.backend'), cell: (row) => <Backend service={row} />, sort: (row) => row.backend },
    { id: 'newest', head: t('recovery.col.newest'), cell: (row) => <Newest service={row} />, sort: (row) => newestGood(row)?.taken_at ?? '' },
    { id: 'interval', head: t('recovery.col.interval'), cell: (row) => <Interval service={row} />, sort: (row) => row.interval?.interval_s ?? 0 },
    {
      id: 'acts', head: '', cell: (row) => (
        <span className="row tight">
          <Button small plain onClick={() => onOpen(row.service)} aria-label={`${t('recovery.open')}: ${row.service}`}>{t('recovery.open')}</Button>
          {may && <Button small plain disabled={act.isPending || row.unavailable !== null} onClick={() => act.mutate({ verb: 'take', service: row.service })} aria-label={`${t('recovery.take')}: ${row.service}`}>{t('recovery.take')}</Button>}
        </span>
      ),
    },
  ];
  return (
    <section className="agent-block" aria-label={t('recovery.agent', { name: agent.agent })}>
      <div className="row apart">
        <b>{agent.agent}</b>
        {listing && <span className="small quiet">{t('recovery.stored', { size: bytes(listing.stored_bytes) })} · {t('recovery.signed')} <Digest value={listing.signer} length={6} /></span>}
      </div>
      {agent.error && <Banner tone="critical" icon="incident">{t('recovery.agent_silent')} {sentence(agent.error)}</Banner>}
      {listing?.rollback && <Banner tone="critical" icon="incident">{t('recovery.rolled')} {sentence(listing.rollback)}</Banner>}
      {listing && <p className="small soft">{t('recovery.counter')} {sentence(listing.counter)}</p>}
      {listing && <DataTable rows={listing.services} columns={columns} caption={t('recovery.services_of', { name: agent.agent })} rowKey={(row) => row.service} />}
      {act.isError && <Failed error={act.error} />}
      {act.isSuccess && <p role="status" className="small">{t('recovery.under_way')}</p>}
    </section>
  );
}

function Backend({ service }: { service: ProtectedService }) {
  return (
    <span className="stack tight">
      <span>{word('recovery.backend', service.backend)}</span>
      {service.unavailable === null ? <PlainTag tone="good" shape="check">{t('recovery.works')}</PlainTag> : <><PlainTag tone="critical" shape="cross">{t('recovery.works_not')}</PlainTag><span className="small soft">{sentence(service.unavailable)}</span></>}
    </span>
  );
}

function Newest({ service }: { service: ProtectedService }) {
  const newest = newestGood(service);
  return (
    <span className="stack tight">
      {newest ? <Wall at={newest.taken_at} relative /> : <PlainTag tone="medium" shape="triangle">{t('recovery.newest_none')}</PlainTag>}
      <span className="small quiet">{tn('recovery.checkpoints', service.checkpoints.length)}</span>
    </span>
  );
}

/** How often, and the measured reasons of it (docs/recovery.md has the formula). */
function Interval({ service }: { service: ProtectedService }) {
  const { interval } = service;
  if (!interval || service.unavailable !== null) return <span className="small quiet">{t('recovery.interval_none')}</span>;
  const ends = tn('recovery.failures', service.failures, { time: seconds(service.operating_s) });
  return (
    <span className="stack tight">
      <span>{t('recovery.every', { time: seconds(interval.interval_s) })}</span>
      <span className="small quiet">{t('recovery.interval_why', { best: seconds(interval.gelenbe_s), cost: figure(interval.cost_s), load: figure(interval.load * 100) })} {ends}</span>
    </span>
  );
}
