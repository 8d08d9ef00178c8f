// Everything the first page stands on, read once and kept fresh by events.
import { useQuery } from '@tanstack/react-query';
import { reads } from '@/api/queries';
import type { Finding, Incident, NodeInfo, Watched } from '@/api/types';
import { useLive } from '@/app/store';

/** The most severe, then newest. */
function foremost(incidents: Incident[]): Incident | null {
  const rank = { low: 0, medium: 1, high: 2, critical: 3 };
  const sorted = [...incidents].sort((a, b) => rank[b.severity] - rank[a.severity] || b.recorded_at.localeCompare(a.recorded_at));
  return sorted[0] ?? null;
}

function newest<T>(items: T[] | undefined, at: (item: T) => string): T | null {
  return (items ?? []).reduce<T | null>((best, item) => (best === null || at(item) > at(best) ? item : best), null);
}

function strongestOf(findings: Finding[]): Finding | null {
  return findings.reduce<Finding | null>((best, finding) => (best === null || finding.score > best.score ? finding : best), null);
}

export function useSituation(info: NodeInfo) {
  const gateways = useQuery({ ...reads.gateways(), refetchInterval: 5_000 });
  const watchedRead = useQuery({ ...reads.watched(), refetchInterval: 5_000 });
  const open = useQuery(reads.incidents('open'));
  const all = useQuery(reads.incidents('all'));
  const training = useLive((live) => live.training);
  const sources = useLive((live) => live.source);
  const incident = foremost(open.data?.items ?? []) ?? foremost(all.data?.items ?? []);
  const detail = useQuery({ ...reads.incident(incident?.id ?? ''), enabled: incident !== null });
  const runs = useQuery({ ...reads.runs(incident?.id), enabled: incident !== null });
  const shares = useQuery({ ...reads.shares(incident?.id), enabled: incident !== null });
  const orders = useQuery({ ...reads.orders(), refetchInterval: 3_000 });
  const head = useQuery(reads.treeHead());
  const watched: Watched[] = (watchedRead.data ?? []).map((device) => ({ ...device, state: training[device.device] ?? device.state }));
  const gateway = gateways.data?.find((one) => one.connected) ?? gateways.data?.[0] ?? null;
  const source = gateway ? (sources[gateway.name] ?? gateway.replay) : null;
  return {
    info,
    loaded: open.data !== undefined && (watchedRead.data !== undefined || watchedRead.isError),
    error: open.error ?? watchedRead.error ?? gateways.error,
    retry: () => Promise.all([open.refetch(), watchedRead.refetch(), gateways.refetch()]),
    gateways: gateways.data ?? [],
    gateway,
    source,
    watched,
    open: open.data?.items ?? [],
    all: all.data?.items ?? [],
    incident,
    detail: detail.data ?? null,
    finding: strongestOf(detail.data?.findings ?? []),
    run: newest(runs.data?.items, (run) => run.started_at),
    share: newest(shares.data?.items, (share) => share.decided_at),
    order: newest(orders.data, (order) => order.requested_at),
    head: head.data ?? null,
  };
}

export type SituationData = ReturnType<typeof useSituation>;
