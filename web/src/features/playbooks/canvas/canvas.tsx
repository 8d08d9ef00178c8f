// The drawing of a playbook: to edit it, to compare two versions, and to see a run. Loaded only where it
// is shown. Everything it can do the list of steps can do as well.
import { applyNodeChanges, ReactFlow, type Connection, type NodeChange, type ReactFlowInstance } from '@xyflow/react';
import '@xyflow/react/dist/base.css';
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { Button } from '@/parts/button';
import { t } from '@/strings/pages';
import type { Doc } from '../model/document';
import type { Places } from '../model/draft';
import { STEP_H, STEP_W } from '../model/layout';
import { StepBox, type Box } from './box';
import './canvas.css';
import { boxesOf, waysOf, type Says } from './flow';
import { WayLine, type Way } from './way';

interface CanvasProps extends Says {
  doc: Doc;
  label: string;
  chosen?: string | null;
  onChoose?: (id: string | null) => void;
  /** Without these the drawing is to be looked at only. */
  onConnect?: (from: string, to: string) => void;
  onDelete?: (id: string) => void;
  places?: Places;
  onPlaces?: (places: Places) => void;
}

const nodeTypes = { step: StepBox };
const edgeTypes = { way: WayLine };
const NOWHERE: Places = {};
const FIT = { padding: 0.08, minZoom: 0.85, maxZoom: 1 };

export default function Canvas({ doc, label, chosen = null, onChoose, onConnect, onDelete, places = NOWHERE, onPlaces, marks, faults, ways }: CanvasProps) {
  const flow = useRef<ReactFlowInstance<Box, Way> | null>(null);
  const place = useRef<HTMLDivElement>(null);
  const editable = onConnect !== undefined;
  const made = useMemo(() => boxesOf(doc, places, { marks, faults }, editable), [doc, places, marks, faults, editable]);
  const edges = useMemo(() => waysOf(doc, places, { ways }), [doc, places, ways]);
  const [boxes, setBoxes] = useState(made);
  useEffect(() => setBoxes((old) => joined(old, made, chosen)), [made, chosen]);
  const onNodesChange = useCallback(
    (changes: NodeChange<Box>[]) => {
      setBoxes((old) => applyNodeChanges(changes.filter((one) => one.type !== 'remove'), old));
      const picked = changes.find((one) => one.type === 'select' && one.selected);
      if (picked?.type === 'select') onChoose?.(picked.id);
      // Moved with the arrow keys, or let go: the new place is kept.
      const moved = changes.flatMap((one) => (one.type === 'position' && !one.dragging && one.position ? [[one.id, { x: Math.round(one.position.x), y: Math.round(one.position.y) }] as const] : []));
      if (moved.length > 0) onPlaces?.({ ...places, ...Object.fromEntries(moved) });
    },
    [onChoose, onPlaces, places],
  );
  useEffect(() => {
    if (chosen) show(chosen, flow.current, place.current);
  }, [chosen, made.length]);
  return (
    <div
      ref={place}
      className="canvas"
      role="group"
      aria-label={label}
      onKeyDown={(event) => {
        if (event.key !== 'Delete' || !chosen || !onDelete) return;
        event.preventDefault();
        onDelete(chosen);
      }}
    >
      <ReactFlow<Box, Way>
        nodes={boxes}
        edges={edges}
        nodeTypes={nodeTypes}
        edgeTypes={edgeTypes}
        onInit={(instance) => {
          flow.current = instance;
          start(instance, made, place.current);
        }}
        onNodesChange={onNodesChange}
        onPaneClick={() => onChoose?.(null)}
        onConnect={(one: Connection) => onConnect?.(one.source, one.target)}
        nodesDraggable={onPlaces !== undefined}
        nodesConnectable={editable}
        elementsSelectable={onChoose !== undefined}
        nodesFocusable={onChoose !== undefined}
        edgesFocusable={false}
        deleteKeyCode={null}
        multiSelectionKeyCode={null}
        selectionKeyCode={null}
        zoomOnScroll={false}
        panOnScroll
        preventScrolling
        minZoom={0.2}
        maxZoom={1.5}
        proOptions={{ hideAttribution: true }}
        ariaLabelConfig={{ 'node.a11yDescription.default': t('canvas.how'), 'node.a11yDescription.keyboardDisabled': t('canvas.how_look') }}
      />
      <div className="canvas-tools">
        <Button small plain aria-label={t('canvas.closer')} title={t('canvas.closer')} onClick={() => void flow.current?.zoomIn()}>+</Button>
        <Button small plain aria-label={t('canvas.farther')} title={t('canvas.farther')} onClick={() => void flow.current?.zoomOut()}>−</Button>
        <Button small plain onClick={() => void flow.current?.fitView({ ...FIT, minZoom: 0.2 })}>{t('canvas.fit')}</Button>
        {onPlaces && Object.keys(places).length > 0 && <Button small plain onClick={() => onPlaces({})}>{t('canvas.tidy')}</Button>}
      </div>
    </div>
  );
}

/** The new boxes, with what the library measured of the old ones. */
function joined(old: Box[], made: Box[], chosen: string | null): Box[] {
  const before = new Map(old.map((one) => [one.id, one]));
  return made.map((one) => {
    const kept = before.get(one.id);
    return { ...one, ...(kept?.measured ? { measured: kept.measured } : {}), selected: one.id === chosen };
  });
}

/** All of it where that can be read; else from its start. */
function start(flow: ReactFlowInstance<Box, Way>, boxes: Box[], place: HTMLElement | null): void {
  const [first] = boxes;
  if (!first || !place) return;
  const left = Math.min(...boxes.map((one) => one.position.x));
  const wide = Math.max(...boxes.map((one) => one.position.x)) + STEP_W - left;
  const high = Math.max(...boxes.map((one) => one.position.y)) + STEP_H;
  const zoom = Math.min(FIT.maxZoom, Math.max(FIT.minZoom, Math.min((place.clientWidth - 48) / wide, (place.clientHeight - 72) / high)));
  const x = wide * zoom <= place.clientWidth ? (place.clientWidth - wide * zoom) / 2 - left * zoom : place.clientWidth / 2 - (first.position.x + STEP_W / 2) * zoom;
  void flow.setViewport({ x, y: 24, zoom });
}

/** Brings a step into sight, if it is not. */
function show(id: string, flow: ReactFlowInstance<Box, Way> | null, place: HTMLElement | null): void {
  const box = flow?.getNode(id);
  if (!flow || !box || !place) return;
  const { x, y, zoom } = flow.getViewport();
  const [left, top] = [box.position.x * zoom + x, box.position.y * zoom + y];
  const inside = left >= 0 && top >= 0 && left + STEP_W * zoom <= place.clientWidth && top + STEP_H * zoom <= place.clientHeight;
  if (!inside) void flow.setCenter(box.position.x + STEP_W / 2, box.position.y + STEP_H / 2, { zoom });
}
