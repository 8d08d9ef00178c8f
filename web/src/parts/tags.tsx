// Words of the API as a shape, a colour and a word.
import type { Component, IncidentState, Peer, RunState, Severity, ShareState, StepState, WatchState } from '@/api/types';
import { t, word } from '@/strings/t';
import { Mark, type Shape } from './icon';

export type Tone = 'low' | 'medium' | 'high' | 'critical' | 'good' | 'accent';
type Look = readonly [Tone, Shape];

function Tag({ look, children, bare }: { look: Look; children: string; bare?: boolean | undefined }) {
  return (
    <span className={`tag ${look[0]}${bare ? ' bare' : ''}`}>
      <Mark shape={look[1]} />
      {children}
    </span>
  );
}

const SEVERITY: Record<Severity, Look> = {
  low: ['low', 'ring'], medium: ['medium', 'triangle'], high: ['high', 'diamond'], critical: ['critical', 'octagon'],
};
const INCIDENT: Record<IncidentState, Look> = {
  new: ['high', 'dot'], triaged: ['accent', 'half'], contained: ['good', 'slash'], closed: ['low', 'check'], false_alarm: ['low', 'cross'],
};
const RUN: Record<RunState, Look> = {
  running: ['accent', 'half'], waiting: ['medium', 'dots'], paused: ['medium', 'bar'], succeeded: ['good', 'check'], failed: ['critical', 'cross'], cancelled: ['low', 'bar'],
};
const STEP: Record<StepState, Look> = {
  pending: ['low', 'ring'], running: ['accent', 'half'], waiting: ['medium', 'dots'], done: ['good', 'check'],
  unsure: ['medium', 'triangle'], not_enforced: ['medium', 'triangle'], failed: ['critical', 'cross'], skipped: ['low', 'bar'],
};
const SHARE: Record<ShareState, Look> = {
  denied: ['critical', 'slash'], queued: ['medium', 'dots'], delivered: ['accent', 'half'], acknowledged: ['good', 'check'], refused: ['critical', 'cross'],
};
const COMPONENT: Record<Component['state'], Look> = {
  ok: ['good', 'check'], degraded: ['medium', 'triangle'], failed: ['critical', 'cross'], absent: ['low', 'ring'],
};
const PEER: Record<Peer['state'], Look> = {
  reachable: ['good', 'check'], unreachable: ['critical', 'cross'], never: ['low', 'ring'],
};
const WATCH: Record<WatchState['state'], Look> = {
  learning: ['accent', 'half'], training: ['accent', 'half'], watching: ['good', 'check'], unprotected: ['critical', 'triangle'],
};
const UNKNOWN: Look = ['low', 'ring'];

export const SeverityTag = ({ value, bare }: { value: Severity; bare?: boolean }) => (
  <Tag look={SEVERITY[value] ?? UNKNOWN} bare={bare}>{word('severity', value)}</Tag>
);
export const IncidentTag = ({ value }: { value: IncidentState }) => (
  <Tag look={INCIDENT[value] ?? UNKNOWN}>{word('incident.state', value)}</Tag>
);
export const RunTag = ({ value }: { value: RunState }) => <Tag look={RUN[value] ?? UNKNOWN}>{word('run.state', value)}</Tag>;
export const StepTag = ({ value }: { value: StepState }) => <Tag look={STEP[value] ?? UNKNOWN}>{word('step.state', value)}</Tag>;
export const ShareTag = ({ value }: { value: ShareState }) => <Tag look={SHARE[value] ?? UNKNOWN}>{word('share.state', value)}</Tag>;
export const ComponentTag = ({ value }: { value: Component['state'] }) => (
  <Tag look={COMPONENT[value] ?? UNKNOWN}>{word('component.state', value)}</Tag>
);
export const PeerTag = ({ value }: { value: Peer['state'] }) => <Tag look={PEER[value] ?? UNKNOWN}>{word('peer.state', value)}</Tag>;
export const WatchTag = ({ value }: { value: WatchState['state'] }) => <Tag look={WATCH[value] ?? UNKNOWN}>{word('watch.state', value)}</Tag>;
export const YesNo = ({ yes, word: text }: { yes: boolean; word: string }) => (
  <Tag look={yes ? ['good', 'check'] : ['critical', 'cross']}>{text}</Tag>
);
export const PlainTag = ({ tone = 'low', shape = 'ring', children }: { tone?: Tone; shape?: Shape; children: string }) => (
  <Tag look={[tone, shape]}>{children}</Tag>
);
export const TlpTag = ({ value }: { value: string }) => (
  <span className="tlp" title={t('tlp.title')}>{value}</span>
);
