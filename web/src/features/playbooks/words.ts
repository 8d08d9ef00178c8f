import type { RunDetail, Step } from '@/api/types';
import { t, tn } from '@/strings/t';

/** "Contain a talking device: succeeded, 2 steps not enforced". */
export function runTitle(run: RunDetail): string {
  const soft = run.steps.filter((step) => step.state === 'not_enforced').length;
  const base = t(`run.title.${run.state}`, { name: run.name });
  return soft > 0 ? `${base}, ${tn('run.soft', soft)}` : base;
}

/** The steps that ran, in the order they ran; and those that did not. */
export function litPath(run: RunDetail): { lit: Step[]; unlit: Step[] } {
  const byId = new Map(run.steps.map((step) => [step.step, step]));
  const lit = run.path.flatMap((id) => byId.get(id) ?? []);
  const taken = new Set(run.path);
  const rest = run.steps.filter((step) => !taken.has(step.step));
  const moved = rest.filter((step) => step.state !== 'pending' && step.state !== 'skipped');
  return { lit: [...lit, ...moved], unlit: rest.filter((step) => !moved.includes(step)) };
}
