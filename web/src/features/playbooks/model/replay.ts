// A run at one moment of its past: which steps had ended, which were under way, several at once where
// branches ran at the same time.
import type { RunDetail, Step, StepState } from '@/api/types';

/** The moments at which something changed, in order; the last is the run as it stands. */
export function momentsOf(run: Pick<RunDetail, 'steps'>): number[] {
  const all = run.steps.flatMap((step) => [step.started_at, step.ended_at]).flatMap((at) => (at ? [Date.parse(at)] : []));
  return [...new Set(all)].sort((a, b) => a - b);
}

/** How each step stood; of one that was passed several times, the latest pass. */
export function statesAt(run: Pick<RunDetail, 'steps'>, at: number | null): Map<string, StepState> {
  const states = new Map<string, StepState>();
  const latest = new Map<string, number>();
  for (const step of run.steps) {
    const start = step.started_at ? Date.parse(step.started_at) : -Infinity;
    const begun = at === null || start <= at ? start : -Infinity;
    if (states.has(step.step) && begun < (latest.get(step.step) ?? -Infinity)) continue;
    states.set(step.step, stateAt(step, step.started_at ? start : null, at));
    latest.set(step.step, begun);
  }
  return states;
}

function stateAt(step: Step, start: number | null, at: number | null): StepState {
  if (at === null) return step.state;
  if (start === null || start > at) return 'pending';
  if (step.ended_at && Date.parse(step.ended_at) <= at) return step.state;
  return step.type === 'action' && step.actuator === 'manual' ? 'waiting' : step.state === 'waiting' ? 'waiting' : 'running';
}

/** Ways that were taken: both ends were reached, the far one not before the near one began. */
export function takenWays(run: Pick<RunDetail, 'steps'>, at: number | null): (from: string, to: string) => boolean {
  const first = new Map<string, number>();
  for (const step of run.steps) {
    if (!step.started_at || step.state === 'skipped') continue;
    const start = Date.parse(step.started_at);
    if (at === null || start <= at) first.set(step.step, Math.min(start, first.get(step.step) ?? Infinity));
  }
  return (from, to) => (first.get(from) ?? Infinity) <= (first.get(to) ?? -Infinity);
}
