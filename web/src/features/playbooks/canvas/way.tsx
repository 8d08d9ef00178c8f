// A line of the canvas: its form says which way out it is, its word says it too.
import { BaseEdge, EdgeLabelRenderer, getBezierPath, Position, type Edge, type EdgeProps } from '@xyflow/react';
import type { ExitKind } from '../model/exits';
import type { Point } from '../model/layout';

export type WayData = { kind: ExitKind; word: string; bends: Point[]; look: string; fromX: number; toX: number; /** Moves the word, where several lines lead to the same step. */ lift: number };
export type Way = Edge<WayData, 'way'>;

/** Dashes by kind: solid for what always follows, broken for the rest. */
const DASHES: Record<ExitKind, string | undefined> = { on_completion: undefined, on_success: undefined, on_failure: '7 4', on_true: '14 4', on_false: '2 4', case: '10 3 2 3', next: undefined };
const WIDTHS: Partial<Record<ExitKind, number>> = { on_success: 2.6, next: 3 };

function pathOf(points: Point[]): string {
  const [first, ...rest] = points;
  let here = first ?? { x: 0, y: 0 };
  let path = `M ${here.x} ${here.y}`;
  for (const next of rest) {
    const half = (here.y + next.y) / 2;
    path += ` C ${here.x} ${half} ${next.x} ${half} ${next.x} ${next.y}`;
    here = next;
  }
  return path;
}

export function WayLine({ id, sourceX, sourceY, targetX, targetY, data, markerEnd }: EdgeProps<Way>) {
  if (!data) return null;
  const from = { x: sourceX + data.fromX, y: sourceY };
  const to = { x: targetX + data.toX, y: targetY - 2 };
  const points = [from, ...data.bends, to];
  const back = to.y <= from.y;
  const [path] = back ? getBezierPath({ sourceX: from.x, sourceY, sourcePosition: Position.Bottom, targetX: to.x, targetY: to.y, targetPosition: Position.Top }) : [pathOf(points)];
  const next = points[1] ?? to;
  const at = back ? { x: (from.x + to.x) / 2, y: (from.y + to.y) / 2 } : { x: (from.x + next.x) / 2, y: (from.y + next.y) / 2 };
  return (
    <>
      <BaseEdge id={id} path={path} {...(markerEnd ? { markerEnd } : {})} className={`way ${data.kind} ${data.look}`} style={{ strokeDasharray: DASHES[data.kind], strokeWidth: WIDTHS[data.kind] ?? 1.6 }} />
      <EdgeLabelRenderer>
        <span className={`way-word ${data.kind} ${data.look}`} style={{ transform: `translate(-50%, -50%) translate(${at.x}px, ${at.y + data.lift}px)` }}>{data.word}</span>
      </EdgeLabelRenderer>
    </>
  );
}
