// What is known of recovery, ready for words.
import type { Checkpoint, CheckpointAgent, LiftCase, ProtectedService } from '@/api/types';
import { spanText } from '@/parts/time';
import { t, tn } from '@/strings/pages';

export const seconds = (value: number): string => spanText(value * 1000);

export type Kept = 'good' | 'suspect' | 'evidence';
export const keptAs = ({ evidence, suspect }: Checkpoint): Kept => (evidence ? 'evidence' : suspect ? 'suspect' : 'good');

/** The newest that may be restored. */
export const newestGood = (service: ProtectedService): Checkpoint | undefined => service.checkpoints.findLast((one) => keptAs(one) === 'good');

/** What a restart from before the evidence would start from, as the agent chooses: the newest good one that is older than evidence less margin. */
export function chosenFor(service: ProtectedService, evidence: number, marginS: number): Checkpoint | undefined {
  return service.checkpoints.findLast((one) => keptAs(one) === 'good' && Date.parse(one.taken_at) < evidence - marginS * 1000);
}

export const STEPS = ['holding', 'trial_1', 'trial_2', 'recovered'] as const;
export interface LiftStep {
  name: (typeof STEPS)[number];
  state: 'done' | 'now' | 'ahead';
}

/** The way of a block towards its end; trials passed are done, the one that runs is now. */
export function stepsOf({ stage, trial }: Pick<LiftCase, 'stage' | 'trial'>): LiftStep[] {
  const at = stage === 'recovered' ? STEPS.length : stage === 'trial' ? Math.min(trial + 1, 2) : stage === 'holding' ? 0 : -1;
  return STEPS.map((name, index) => ({ name, state: index < at ? 'done' : index === at ? 'now' : 'ahead' }));
}

/** One sentence over everything: what needs somebody comes first. */
export function headline(agents: CheckpointAgent[], cases: LiftCase[]): string {
  const called = cases.filter((one) => one.stage === 'escalated').length;
  if (called > 0) return tn('recovery.title_called', called);
  const rolled = agents.find((one) => one.listing?.rollback);
  if (rolled) return t('recovery.title_rollback', { agent: rolled.agent });
  const silent = agents.filter((one) => one.error !== null).length;
  if (silent > 0) return tn('recovery.title_silent', silent);
  const services = agents.flatMap((one) => one.listing?.services ?? []);
  const bare = services.filter((one) => one.unavailable !== null || !newestGood(one)).length;
  if (bare > 0) return tn('recovery.title_bare', bare, { all: services.length });
  return services.length === 0 ? t('recovery.title_none') : tn('recovery.title', services.length);
}
