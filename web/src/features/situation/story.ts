// The loop as six steps, each with what really happened and a door to it.
import type { Finding, Gateway, Incident, Order, Run, Share, SourceState, TreeHead, Watched } from '@/api/types';
import { count, percent, times } from '@/parts/format';
import type { IconName } from '@/parts/icon';
import { t, tn, word } from '@/strings/t';
import { progressOf } from './headline';

export type StepState = 'done' | 'now' | 'waiting' | 'problem';

export interface StoryStep {
  key: 'sense' | 'detect' | 'decide' | 'act' | 'share' | 'prove';
  icon: IconName;
  state: StepState;
  text: string;
  to: string | null;
}

export interface StoryInput {
  gateways: Gateway[];
  source: SourceState | null;
  watched: Watched[];
  incident: Incident | null;
  finding: Finding | null;
  run: Run | null;
  order: Order | null;
  share: Share | null;
  head: TreeHead | null;
}

export function story(input: StoryInput): StoryStep[] {
  return [sense(input), detect(input), decide(input), act(input), share(input), prove(input)];
}

function sense({ gateways, source, watched }: StoryInput): StoryStep {
  const connected = gateways.filter((gateway) => gateway.connected);
  const base = { key: 'sense' as const, icon: 'watch' as const, to: '/devices' };
  if (gateways.length === 0) return { ...base, state: 'waiting', text: t('story.sense.none') };
  if (connected.length === 0) return { ...base, state: 'problem', text: tn('story.sense.away', gateways.length) };
  if (source) {
    const text = t(source.finished ? 'story.sense.ended' : 'story.sense.replay', { sent: count(source.sent), total: count(source.total) });
    return { ...base, state: source.finished ? 'done' : 'now', text };
  }
  return { ...base, state: 'now', text: tn('story.sense.live', watched.length) };
}

function detect({ watched, finding }: StoryInput): StoryStep {
  const base = { key: 'detect' as const, icon: 'finding' as const };
  if (finding) {
    const text = capital(t('story.detect.found', { score: times(finding.score), kind: word('finding.kind', finding.kind) }));
    return { ...base, state: 'done', text, to: `/findings/${finding.id}` };
  }
  const first = watched[0];
  if (first?.state.state === 'unprotected') return { ...base, state: 'problem', text: first.state.reason, to: '/devices' };
  if (first && first.state.state !== 'watching') {
    return { ...base, state: 'now', text: t('story.detect.learning', { share: percent(progressOf(first)) }), to: `/devices/${first.device}` };
  }
  if (first) return { ...base, state: 'now', text: tn('story.detect.quiet', first.windows_scored), to: `/devices/${first.device}` };
  return { ...base, state: 'waiting', text: t('story.detect.none'), to: null };
}

const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);

function decide({ incident, run }: StoryInput): StoryStep {
  const base = { key: 'decide' as const, icon: 'playbook' as const };
  if (run) {
    const state = run.state === 'failed' ? 'problem' : run.state === 'running' || run.state === 'waiting' ? 'now' : 'done';
    return { ...base, state, text: t('story.decide.run', { name: run.name, state: word('run.state', run.state) }), to: `/runs/${run.id}` };
  }
  if (incident) return { ...base, state: 'now', text: t('story.decide.incident'), to: `/incidents/${incident.id}` };
  return { ...base, state: 'waiting', text: t('story.decide.none'), to: '/playbooks' };
}

function act({ order, run, gateways }: StoryInput): StoryStep {
  const base = { key: 'act' as const, icon: 'block' as const, to: run ? `/runs/${run.id}` : '/devices' };
  const why = gateways.find((gateway) => gateway.not_enforcing !== null)?.not_enforcing;
  if (!order) return { ...base, state: 'waiting', text: why ? t('story.act.cannot', { why }) : t('story.act.none') };
  if (order.state !== 'done' || !order.outcome) return { ...base, state: 'now', text: t('story.act.ordered', { gateway: order.gateway }) };
  if (order.outcome.outcome !== 'done') {
    const key = order.outcome.outcome === 'failed' ? 'story.act.failed' : 'story.act.not_enforced';
    return { ...base, state: 'problem', text: t(key, { why: order.outcome.reason }) };
  }
  if (order.verb === 'release') return { ...base, state: 'done', text: t('story.act.released') };
  if (order.lifted_at) return { ...base, state: 'waiting', text: t('story.act.lifted') };
  const seen = order.seen;
  if (!seen || seen.dropped_after === 0) return { ...base, state: 'done', text: t('story.act.blocked') };
  return { ...base, state: 'done', text: tn('story.act.seen', seen.dropped_after) };
}

function share({ share: sent, incident }: StoryInput): StoryStep {
  const base = { key: 'share' as const, icon: 'share' as const };
  if (!sent) return { ...base, state: 'waiting', text: t('story.share.none'), to: incident ? `/incidents/${incident.id}` : '/shares' };
  const state = sent.state === 'denied' || sent.state === 'refused' ? 'problem' : sent.state === 'acknowledged' ? 'done' : 'now';
  return { ...base, state, text: t(`story.share.${sent.state}`, { peer: sent.peer_name }), to: `/shares/${sent.id}` };
}

function prove({ head }: StoryInput): StoryStep {
  const base = { key: 'prove' as const, icon: 'ledger' as const, to: '/ledger' };
  if (!head || head.size === 0) return { ...base, state: 'waiting', text: t('story.prove.none') };
  return { ...base, state: 'done', text: tn('story.prove.entries', head.size) };
}
