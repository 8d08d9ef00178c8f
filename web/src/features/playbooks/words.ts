import type { RunDetail, Step } from '@/api/types';
import { t, tn } from '@/strings/t';

/** "Contain a talking device: succeeded, 2 steps not enforced". */
export function runTitle(run: RunDetail): string {
  const soft = run.steps.filter((step) => step.state === 'not_enforced').length;
  const base = t(`run.title.${run.state}`, { name: run.name });
  return soft > 0 ? `${base}, ${tn('run.soft', soft)}` : base;
}

/** The steps that were reached, in that order; and those that were not. */
export function litPath(run: RunDetail): { lit: Step[]; unlit: Step[] } {
  const reached = (step: Step) => step.position !== null;
  return { lit: run.steps.filter(reached), unlit: run.steps.filter((step) => !reached(step)) };
}
