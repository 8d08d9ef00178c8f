// What the canvas says of a step and of a way out beside its name: a word, a form and a colour.
import type { StepState } from '@/api/types';
import type { Shape } from '@/parts/icon';
import type { Tone } from '@/parts/tags';
import { t, word } from '@/strings/pages';
import type { Change } from '../model/diff';
import { text, type Obj } from '../model/document';
import type { Exit, ExitKind } from '../model/exits';

export interface Mark { word: string; tone: Tone; shape: Shape; /** Names the look of the box. */ form: string }

const CHANGES: Record<Change, readonly [Tone, Shape]> = { added: ['good', 'dot'], removed: ['critical', 'bar'], changed: ['medium', 'half'] };
const STATES: Record<StepState, readonly [Tone, Shape]> = {
  pending: ['low', 'ring'], running: ['accent', 'half'], waiting: ['medium', 'dots'], done: ['good', 'check'], not_enforced: ['medium', 'triangle'], unsure: ['medium', 'triangle'], failed: ['critical', 'cross'], skipped: ['low', 'bar'],
};

export function changeMark(change: Change): Mark {
  const [tone, shape] = CHANGES[change];
  return { word: word('change', change), tone, shape, form: change };
}

export function stateMark(state: StepState): Mark {
  const [tone, shape] = STATES[state] ?? ['low', 'ring'];
  return { word: word('step.state', state), tone, shape, form: state };
}

const AROUND = new Set(['if-condition', 'while-condition', 'switch-condition', 'parallel']);

/** "if it succeeds", "case 3"; what follows a step with branches follows "afterwards". */
export function exitWord(exit: Pick<Exit, 'kind' | 'value'>, type = ''): string {
  if (exit.kind === 'on_completion' && AROUND.has(type)) return t('exit.after');
  return exit.kind === 'case' ? t('exit.case_of', { value: exit.value || '–' }) : kindWord(exit.kind);
}

export const kindWord = (kind: ExitKind): string => word('exit', kind);
export const typeWord = (type: string): string => word('edit.kind', type);

/** What a step is called: its name, or the word for its type. */
export const stepWord = (id: string, step: Obj | undefined): string => text(step?.name) || (step ? typeWord(text(step.type)) : '') || id;
