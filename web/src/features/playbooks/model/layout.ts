// A layered layout, from the start downwards: each step below what leads to it, what follows a
// condition or branches below all of their ends, few crossings, long lines around the steps between.
import { text, workflowOf, type Doc } from './document';
import { exitKey, exitsOf, readingOrder } from './exits';

export const STEP_W = 216;
export const STEP_H = 60;
const GAP_X = 28;
const GAP_Y = 50;
/** Room a line takes that passes a layer. */
const LANE_W = 28;
const SWEEPS = 6;
/** More lanes than this are no help to anybody; further long lines are drawn straight. */
const MAX_LANES = 2000;

export interface Point { x: number; y: number }
export interface Layout {
  /** Upper left corner of each step. */
  at: Map<string, Point>;
  /** Where long lines pass the layers between, by `exitKey`. */
  bends: Map<string, Point[]>;
}

interface Line { from: string; to: string; key: string | null }

export function layoutOf(doc: Doc): Layout {
  const flow = workflowOf(doc);
  const ids = readingOrder(doc);
  const drawn: Line[] = ids.flatMap((from) => exitsOf(flow[from]).filter((exit) => Object.hasOwn(flow, exit.to) && exit.to !== from).map((exit) => ({ from, to: exit.to, key: exitKey(from, exit) })));
  const lines = forward(ids, [...drawn, ...joins(ids, doc)]);
  const layer = layersOf(ids, lines);
  const { rows, chains } = withLanes(ids, lines.filter((line) => line.key !== null), layer);
  sweep(rows, chains);
  return placed(rows, chains, new Set(ids));
}

/** What follows a condition or a parallel step stands below the ends of its branches. */
function joins(ids: string[], doc: Doc): Line[] {
  const flow = workflowOf(doc);
  const reach = (starts: string[]): Set<string> => {
    const seen = new Set<string>();
    const open = [...starts];
    while (open.length > 0) {
      const id = open.pop() ?? '';
      if (seen.has(id) || !Object.hasOwn(flow, id)) continue;
      seen.add(id);
      open.push(...exitsOf(flow[id]).map((exit) => exit.to));
    }
    return seen;
  };
  return ids.flatMap((id) => {
    const exits = exitsOf(flow[id]);
    const after = exits.filter((exit) => ['on_completion', 'on_success', 'on_failure'].includes(exit.kind)).map((exit) => exit.to);
    const branches = exits.filter((exit) => !['on_completion', 'on_success', 'on_failure'].includes(exit.kind)).map((exit) => exit.to);
    if (after.length === 0 || branches.length === 0) return [];
    const beyond = reach(after);
    const ends = [...reach(branches)].filter((one) => text(flow[one]?.type) === 'end' && !beyond.has(one) && one !== id);
    return ends.flatMap((from) => after.map((to) => ({ from, to, key: null })));
  });
}

function byStart(lines: Line[]): Map<string, Line[]> {
  const out = new Map<string, Line[]>();
  for (const line of lines) {
    const list = out.get(line.from);
    if (list) list.push(line);
    else out.set(line.from, [line]);
  }
  return out;
}

/** Leaves out the lines that lead back, so that the rest has an order. */
function forward(ids: string[], lines: Line[]): Line[] {
  const out = byStart(lines);
  const state = new Map<string, 'open' | 'done'>();
  const kept: Line[] = [];
  for (const root of ids) {
    if (state.has(root)) continue;
    state.set(root, 'open');
    const stack = [{ id: root, next: 0 }];
    while (stack.length > 0) {
      const top = stack.at(-1);
      if (!top) break;
      const line = out.get(top.id)?.[top.next];
      if (!line) {
        state.set(top.id, 'done');
        stack.pop();
        continue;
      }
      top.next += 1;
      if (state.get(line.to) === 'open') continue;
      kept.push(line);
      if (state.has(line.to)) continue;
      state.set(line.to, 'open');
      stack.push({ id: line.to, next: 0 });
    }
  }
  return kept;
}

function layersOf(ids: string[], lines: Line[]): Map<string, number> {
  const out = byStart(lines);
  const waiting = new Map(ids.map((id) => [id, 0]));
  for (const line of lines) waiting.set(line.to, (waiting.get(line.to) ?? 0) + 1);
  const layer = new Map(ids.map((id) => [id, 0]));
  const open = ids.filter((id) => waiting.get(id) === 0);
  for (let id = open.shift(); id !== undefined; id = open.shift()) {
    for (const line of out.get(id) ?? []) {
      layer.set(line.to, Math.max(layer.get(line.to) ?? 0, (layer.get(id) ?? 0) + 1));
      const left = (waiting.get(line.to) ?? 0) - 1;
      waiting.set(line.to, left);
      if (left === 0) open.push(line.to);
    }
  }
  return layer;
}

/** The steps of each layer, and between them a lane for every line that passes; a chain is what a line touches. */
function withLanes(ids: string[], lines: Line[], layer: Map<string, number>): { rows: string[][]; chains: string[][] } {
  const rows: string[][] = [];
  const put = (id: string, at: number) => (rows[at] ??= []).push(id);
  for (const id of ids) put(id, layer.get(id) ?? 0);
  let left = MAX_LANES;
  const chains = lines.map((line) => {
    const [from, to] = [layer.get(line.from) ?? 0, layer.get(line.to) ?? 0];
    const passes = Math.max(0, to - from - 1);
    const lanes = passes > left ? [] : Array.from({ length: passes }, (_, index) => `${line.key}\n${from + 1 + index}`);
    left -= lanes.length;
    lanes.forEach((lane, index) => put(lane, from + 1 + index));
    return [line.from, ...lanes, line.to];
  });
  return { rows: Array.from(rows, (row) => row ?? []), chains };
}

/** Puts every layer in the order of what it hangs on, downwards and upwards in turn. */
function sweep(rows: string[][], chains: string[][]): void {
  const { above, below } = neighbours(chains);
  for (let turn = 0; turn < SWEEPS; turn += 1) {
    const down = turn % 2 === 0;
    const order = down ? rows.slice(1) : rows.slice(0, -1).reverse();
    const rank = new Map(rows.flatMap((row) => row.map((id, index) => [id, index / Math.max(1, row.length - 1)] as const)));
    for (const row of order) {
      const near = down ? above : below;
      const wish = new Map(row.map((id, index) => [id, mean((near.get(id) ?? []).map((one) => rank.get(one) ?? 0)) ?? index / Math.max(1, row.length - 1)]));
      row.sort((a, b) => (wish.get(a) ?? 0) - (wish.get(b) ?? 0));
      row.forEach((id, index) => rank.set(id, index / Math.max(1, row.length - 1)));
    }
  }
}

function neighbours(chains: string[][]): { above: Map<string, string[]>; below: Map<string, string[]> } {
  const [above, below] = [new Map<string, string[]>(), new Map<string, string[]>()];
  const add = (map: Map<string, string[]>, key: string, one: string) => {
    const list = map.get(key);
    if (list) list.push(one);
    else map.set(key, [one]);
  };
  for (const chain of chains) {
    chain.slice(1).forEach((id, index) => {
      add(above, id, chain[index] ?? '');
      add(below, chain[index] ?? '', id);
    });
  }
  return { above, below };
}

const mean = (numbers: number[]): number | null => (numbers.length === 0 ? null : numbers.reduce((sum, one) => sum + one, 0) / numbers.length);

function placed(rows: string[][], chains: string[][], steps: Set<string>): Layout {
  const { above, below } = neighbours(chains);
  const width = (id: string) => (steps.has(id) ? STEP_W : LANE_W);
  const middle = new Map<string, number>();
  for (const row of rows) {
    const whole = row.reduce((sum, id) => sum + width(id) + GAP_X, -GAP_X);
    let x = -whole / 2;
    for (const id of row) {
      middle.set(id, x + width(id) / 2);
      x += width(id) + GAP_X;
    }
  }
  for (let turn = 0; turn < SWEEPS; turn += 1) {
    const down = turn % 2 === 0;
    for (const row of down ? rows : [...rows].reverse()) settle(row, down ? above : below, middle, width);
  }
  const y = new Map(rows.flatMap((row, index) => row.map((id) => [id, index * (STEP_H + GAP_Y)] as const)));
  const at = new Map([...steps].map((id) => [id, { x: Math.round((middle.get(id) ?? 0) - STEP_W / 2), y: y.get(id) ?? 0 }]));
  const bends = new Map<string, Point[]>();
  for (const chain of chains) {
    const lanes = chain.slice(1, -1);
    const key = lanes[0]?.split('\n')[0];
    if (key) bends.set(key, lanes.map((lane) => ({ x: Math.round(middle.get(lane) ?? 0), y: (y.get(lane) ?? 0) + STEP_H / 2 })));
  }
  return { at, bends };
}

/** Moves a layer towards what it hangs on, keeping its order and its gaps: blocks that touch move as one. */
function settle(row: string[], near: Map<string, string[]>, middle: Map<string, number>, width: (id: string) => number): void {
  const blocks: { from: number; sum: number; ids: string[]; span: number }[] = [];
  for (const id of row) {
    const wish = mean((near.get(id) ?? []).map((one) => middle.get(one) ?? 0)) ?? middle.get(id) ?? 0;
    let block = { ids: [id], sum: wish - width(id) / 2, span: width(id) + GAP_X, from: wish - width(id) / 2 };
    for (let last = blocks.at(-1); last && last.from + last.span > block.from; last = blocks.at(-1)) {
      blocks.pop();
      const sum = last.sum + block.sum - last.span * block.ids.length;
      const ids = [...last.ids, ...block.ids];
      block = { ids, sum, span: last.span + block.span, from: sum / ids.length };
    }
    blocks.push(block);
  }
  for (const block of blocks) {
    let x = block.from;
    for (const id of block.ids) {
      middle.set(id, x + width(id) / 2);
      x += width(id) + GAP_X;
    }
  }
}
