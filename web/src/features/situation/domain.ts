import type { ScorePoint, SourceState } from '@/api/types';

export type Zoom = 'all' | '6h' | '1h';
const HOUR = 3_600_000;

/** The span of packet time to show: a whole replay fills from left to right, a live source slides. */
export function domainOf(points: readonly ScorePoint[], source: SourceState | null, zoom: Zoom): { from: number; to: number } | null {
  const last = points.at(-1);
  const newest = source?.at ? Date.parse(source.at) : last ? Date.parse(last.end) : null;
  if (newest === null) return null;
  if (zoom !== 'all') return { from: newest - (zoom === '6h' ? 6 : 1) * HOUR, to: newest };
  const first = points[0];
  const starts = [source?.start, first?.start].filter((at): at is string => Boolean(at)).map((at) => Date.parse(at));
  const from = Math.min(newest, ...starts);
  const to = Math.max(newest, source?.end ? Date.parse(source.end) : newest);
  return to > from ? { from, to } : null;
}
