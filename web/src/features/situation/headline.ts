// The first line of the console: what is happening, how sure are we, what should I do.
import type { Finding, Gateway, Incident, NodeInfo, Watched } from '@/api/types';
import { percent, times } from '@/parts/format';
import { t, tn } from '@/strings/t';

export interface Headline {
  title: string;
  lead: string;
  tone: 'quiet' | 'busy' | 'calling';
}

/** What the title is made of; lists hold open incidents only. */
export interface Situation {
  kind: NodeInfo['node']['kind'];
  incidents: Incident[];
  watched: Watched[];
  gateways: Gateway[];
  strongest: Finding | null;
  /** True only when a block is known to have taken effect. */
  enforced: boolean;
}

export function headline(now: Situation): Headline {
  return now.kind === 'cert' ? certHeadline(now.incidents) : operatorHeadline(now);
}

function certHeadline(incidents: Incident[]): Headline {
  const received = incidents.filter((incident) => incident.received_share !== null);
  const waiting = received.filter((incident) => incident.acknowledged_by === null);
  const first = waiting[0];
  if (first) {
    const senders = new Set(waiting.map((incident) => incident.origin_name));
    const from = senders.size === 1 ? first.origin_name : tn('count.organisations', senders.size);
    return { title: tn('home.cert.waiting', waiting.length, { from }), lead: t('home.cert.waiting_lead'), tone: 'calling' };
  }
  if (received.length > 0) {
    return { title: tn('home.cert.answered', received.length), lead: t('home.cert.answered_lead'), tone: 'busy' };
  }
  return { title: t('home.cert.quiet'), lead: t('home.cert.quiet_lead'), tone: 'quiet' };
}

function operatorHeadline(now: Situation): Headline {
  const calling = now.incidents.filter((incident) => incident.state === 'new' || incident.state === 'triaged');
  if (calling.length > 0) {
    return { title: tn('home.needs_you', calling.length), lead: sureness(calling[0], now.strongest, now.enforced), tone: 'calling' };
  }
  if (now.incidents.length > 0) {
    return { title: tn('home.contained', now.incidents.length), lead: sureness(now.incidents[0], now.strongest, now.enforced), tone: 'busy' };
  }
  return quietHeadline(now);
}

function quietHeadline({ watched, gateways }: Situation): Headline {
  const unprotected = watched.filter((device) => device.state.state === 'unprotected');
  const learning = watched.filter((device) => device.state.state === 'learning' || device.state.state === 'training');
  const watching = watched.filter((device) => device.state.state === 'watching');
  if (watched.length === 0) {
    const lead = gateways.some((gateway) => gateway.connected) ? 'home.nothing_lead_connected' : 'home.nothing_lead';
    return { title: t('home.nothing'), lead: t(lead), tone: 'quiet' };
  }
  if (unprotected.length > 0 && watching.length === 0 && learning.length === 0) {
    return { title: tn('home.unprotected', unprotected.length), lead: reasonOf(unprotected[0]), tone: 'busy' };
  }
  if (learning.length > 0 && watching.length === 0) {
    return { title: t('home.learning', { name: learning[0]?.name ?? '' }), lead: t('home.learning_lead', { share: percent(progressOf(learning[0])) }), tone: 'quiet' };
  }
  return { title: tn('home.quiet', watching.length), lead: t('home.quiet_lead'), tone: 'quiet' };
}

/** The sentence that says how sure we are and what to do first. */
export function sureness(incident: Incident | undefined, finding: Finding | null, enforced: boolean): string {
  if (!incident) return '';
  if (!finding) return t('home.sure_short', { title: incident.title });
  const contained = enforced ? 'home.sure_contained' : 'home.sure_not_enforced';
  return t(incident.state === 'contained' ? contained : 'home.sure', {
    title: incident.title,
    score: times(finding.score),
    windows: tn('count.windows', finding.windows),
  });
}

export function progressOf(device: Watched | undefined): number {
  const state = device?.state;
  return state && (state.state === 'learning' || state.state === 'training') ? state.progress : 1;
}

function reasonOf(device: Watched | undefined): string {
  return device?.state.state === 'unprotected' ? device.state.reason : '';
}
