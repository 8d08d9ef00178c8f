import { ApiError } from '@/api/client';

/** The line that the node's answer names, if it names one: `line 12: …`. */
export function lineOf(error: unknown): number | null {
  if (!(error instanceof ApiError)) return null;
  const found = /\bline (\d+)\b/.exec(error.problem.detail ?? '');
  const line = found ? Number(found[1]) : 0;
  return line > 0 ? line : null;
}

/** Where a line begins and ends in a text; lines count from 1, beyond the end it is the last. */
export function startOfLine(text: string, line: number): [number, number] {
  const lines = text.split('\n');
  const place = Math.min(line, lines.length) - 1;
  const from = lines.slice(0, place).reduce((sum, one) => sum + one.length + 1, 0);
  return [from, from + (lines[place]?.length ?? 0)];
}
