// What the shipped detector must reach, and how figures over seeds are worded. The node says where a
// report falls short; the page only marks the single figures.
import type { SpreadFigure, Subject } from '@/api/types';

/** The detector that ships. The others stand beside it as they are. */
export const SHIPPED = 'ensemble';
const LEAST_AUC = 0.995;
const LEAST_TPR = 0.98;
const MOST_FPR = 0.005;
const MOST_DELAY = 2;
/** Benign windows below which a share of them says nothing. */
const LEAST_BENIGN = 200;

export type Figure = 'auc' | 'tpr' | 'fpr' | 'delay_windows';

/** Whether the figure misses its goal at its worst seed; nothing where it cannot be judged. */
export function misses(subject: Subject, figure: Figure): boolean {
  const spread = subject[figure];
  if (!spread) return false;
  if (figure === 'auc') return spread.min < LEAST_AUC;
  if (figure === 'tpr') return spread.min < LEAST_TPR;
  if (figure === 'delay_windows') return spread.max > MOST_DELAY;
  return subject.negative >= LEAST_BENIGN && spread.max > MOST_FPR;
}

const text = (value: number, digits: number) => (digits === 0 ? String(Math.round(value * 10) / 10) : value.toFixed(digits).replace(/^0\./, '.').replace(/^(-?)1\.0+$/, '$11'));

/** "min / median / max", or one figure where no seed changes it. */
export function spreadText(spread: SpreadFigure | null | undefined, digits = 3): string {
  if (!spread) return '–';
  const [min, median, max] = [spread.min, spread.median, spread.max].map((value) => text(value, digits));
  return min === max ? (min ?? '–') : `${min} / ${median} / ${max}`;
}

/** False alarms per device and day; only a count where less than half a day was observed. */
export function alarmsText(subject: Subject): string {
  const alarms = subject.false_alarms_correlated ?? subject.false_alarms;
  return spreadText(alarms, 0);
}

