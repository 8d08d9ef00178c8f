// The arithmetic of the time chart: nothing here knows about pixels on a screen being drawn.
import type { ScorePoint } from '@/api/types';

/** One pixel column: the largest of what fell into it, so that no alert is ever averaged away. */
export interface Bin {
  /** Middle of the column, milliseconds. */
  at: number;
  /** Windows in the column. */
  windows: number;
  score: number;
  /** False while the device learns: traffic without a score. */
  judged: boolean;
  alert: boolean;
  out: number;
  in: number;
  /** The window with the largest score. */
  top: ScorePoint;
}

/** Puts windows into `columns` equal spans of `[from, to]`, keeping maxima; empty columns are left out. */
export function binned(points: readonly ScorePoint[], from: number, to: number, columns: number): Bin[] {
  if (columns < 1 || !(to > from)) return [];
  const bins = new Map<number, Bin>();
  const width = (to - from) / columns;
  for (const point of points) {
    const start = Date.parse(point.start);
    if (!(start >= from && start <= to)) continue;
    const column = Math.min(columns - 1, Math.floor((start - from) / width));
    const score = point.score ?? 0;
    const old = bins.get(column);
    if (!old) {
      bins.set(column, { at: from + (column + 0.5) * width, windows: 1, score, judged: point.score !== null, alert: point.alert, out: point.packets_out, in: point.packets_in, top: point });
      continue;
    }
    old.windows += 1;
    old.judged ||= point.score !== null;
    old.alert ||= point.alert;
    old.out = Math.max(old.out, point.packets_out);
    old.in = Math.max(old.in, point.packets_in);
    if (score > old.score) {
      old.score = score;
      old.top = point;
    }
  }
  return [...bins.entries()].sort(([a], [b]) => a - b).map(([, bin]) => bin);
}

const MINUTE = 60_000;
const STEPS = [1 / 60, 1 / 12, 1 / 6, 0.25, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440, 2880, 10_080].map((m) => m * MINUTE);

/** Round UTC moments inside `[from, to]`, at most `most` of them. */
export function timeTicks(from: number, to: number, most: number): number[] {
  if (!(to > from) || most < 1) return [];
  const step = STEPS.find((candidate) => (to - from) / candidate <= most) ?? Math.ceil((to - from) / most / 86_400_000) * 86_400_000;
  const ticks: number[] = [];
  for (let at = Math.ceil(from / step) * step; at <= to; at += step) ticks.push(at);
  return ticks;
}

/** A rounded-up largest value for a linear axis: 1, 2 or 5 times a power of ten. */
export function roundUp(value: number): number {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  const lead = value / power;
  return (lead <= 1 ? 1 : lead <= 2 ? 2 : lead <= 5 ? 5 : 10) * power;
}

/** Position on a logarithmic axis, 0 at `low` and 1 at `high`; what lies outside is held at the end. */
export function logPosition(value: number, low: number, high: number): number {
  if (!(value > low)) return 0;
  return Math.min(1, Math.log(value / low) / Math.log(high / low));
}

/** The powers of ten inside `[low, high]`. */
export function decades(low: number, high: number): number[] {
  const found: number[] = [];
  for (let power = Math.ceil(Math.log10(low)); 10 ** power <= high * 1.0001; power += 1) found.push(10 ** power);
  return found;
}

/** The column nearest to a moment, by its index; -1 when there is none. */
export function nearest(bins: readonly Bin[], at: number): number {
  let best = -1;
  let distance = Infinity;
  for (const [index, bin] of bins.entries()) {
    const far = Math.abs(bin.at - at);
    if (far < distance) {
      best = index;
      distance = far;
    }
  }
  return best;
}
