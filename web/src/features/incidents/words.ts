// Sentences about incidents.
import type { Finding, IncidentDetail } from '@/api/types';
import { times } from '@/parts/format';
import { t, tn, word } from '@/strings/pages';

/** How sure are we: which evidence carries the judgement, in one sentence. */
export function howSure(findings: Finding[]): string {
  const strongest = findings.reduce<Finding | null>((best, finding) => (best === null || finding.score > best.score ? finding : best), null);
  if (!strongest) return t('incident.sure_none');
  const windows = findings.reduce((sum, finding) => sum + finding.windows, 0);
  const judges = new Set(findings.flatMap((finding) => finding.why.map((reason) => reason.judge)));
  return t('incident.sure', {
    score: times(strongest.score),
    windows: tn('count.windows', windows),
    judges: [...judges].map((judge) => word('judge', judge)).join(t('words.and')) || t('incident.no_judge'),
  });
}

/** What to do first, by state and by what was already done. */
export function whatToDo({ incident, timeline }: IncidentDetail): string {
  const did = (kind: string) => timeline.some((item) => item.kind === kind);
  if (incident.state === 'closed' || incident.state === 'false_alarm') return t('incident.do.closed');
  if (incident.received_share !== null && incident.acknowledged_by === null) return t('incident.do.answer', { name: incident.origin_name });
  if (incident.received_share !== null) return t('incident.do.received');
  if (incident.state === 'contained') return t('incident.do.contained');
  if (did('action')) return t('incident.do.acted');
  return t('incident.do.new');
}

/** "tcp 6667" or "icmp". */
export function serviceOf(protocol: string, port: number | null): string {
  return port === null ? protocol : `${protocol} ${port}`;
}
