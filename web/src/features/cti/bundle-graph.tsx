import cytoscape from 'cytoscape';
import { useEffect, useMemo, useRef } from 'react';
import { useComputedColorScheme } from '@mantine/core';
import type { Bundle } from '@/api/types';
import { Button } from '@/parts/button';
import { t, word } from '@/strings/pages';
import { drawn, graphOf, type Group } from './bundle';
import { graphStyle } from './graph-style';
import { ObjectView } from './object-view';

interface GraphProps {
  bundle: Bundle;
  chosen: string | null;
  onChoose: (id: string | null) => void;
  /** Where a person put the objects before, and what to do with where they stand now. */
  layout?: { positions: Positions | null; keep: (positions: Positions) => void; forget: () => void; busy: boolean };
}

export type Positions = Record<string, [number, number]>;

/** The bundle as a graph; the list beside it reaches every node by keyboard. */
export default function BundleGraph({ bundle, chosen, onChoose, layout }: GraphProps) {
  const positions = layout?.positions ?? null;
  const place = useRef<HTMLDivElement>(null);
  const graph = useRef<cytoscape.Core | null>(null);
  const scheme = useComputedColorScheme('light');
  const graphed = useMemo(() => graphOf(bundle), [bundle]);
  const { nodes, edges } = useMemo(() => drawn(graphed), [graphed]);
  useEffect(() => {
    if (!place.current) return;
    const core = cytoscape({
      container: place.current,
      style: graphStyle(),
      elements: [
        ...nodes.map((node) => ({ data: { id: node.id, label: node.label, kind: word('stix', node.type) }, classes: node.group })),
        ...edges.map((edge) => ({ data: { id: edge.id, source: edge.from, target: edge.to, label: edge.label } })),
      ],
      layout: { name: 'cose', animate: false, padding: 20, nodeRepulsion: () => 30_000, idealEdgeLength: () => 60, gravity: 0.8, randomize: false, componentSpacing: 50, nodeOverlap: 30, nodeDimensionsIncludeLabels: true, boundingBox: { x1: 0, y1: 0, w: place.current.clientWidth, h: place.current.clientHeight } } as cytoscape.LayoutOptions,
      minZoom: 0.4,
      maxZoom: 2,
      wheelSensitivity: 0.25,
    });
    if (positions) {
      core.nodes().forEach((node) => {
        const [x, y] = positions[node.id()] ?? [];
        if (x !== undefined && y !== undefined) node.position({ x, y });
      });
      core.fit(undefined, 20);
    }
    core.on('tap', 'node', (event) => onChoose(String(event.target.id())));
    core.on('tap', (event) => event.target === core && onChoose(null));
    graph.current = core;
    return () => core.destroy();
  }, [nodes, edges, onChoose, scheme, positions]);
  useEffect(() => {
    graph.current?.elements().removeClass('chosen');
    if (chosen) graph.current?.getElementById(chosen).addClass('chosen').connectedEdges().addClass('chosen');
  }, [chosen, scheme]);
  const object = bundle.objects.find((one) => one.id === chosen);
  return (
    <>
      <div className="bundle">
        <div ref={place} className="bundle-graph" role="img" aria-label={t('bundle.label', { nodes: nodes.length, edges: edges.length })} />
        <ul className="bundle-list" aria-label={t('bundle.objects')}>
          {graphed.nodes.map((node) => (
            <li key={node.id}>
              <button type="button" data-row aria-pressed={node.id === chosen} onClick={() => onChoose(node.id === chosen ? null : node.id)}>
                <Key group={node.group} />
                <span className="clip"><span className="quiet">{word('stix', node.type)}</span> {node.label}</span>
              </button>
            </li>
          ))}
        </ul>
      </div>
      {layout && (
        <div className="bundle-layout">
          <Button small plain busy={layout.busy} onClick={() => layout.keep(placed(graph.current))}>{t('bundle.keep_layout')}</Button>
          {positions && <Button small plain disabled={layout.busy} onClick={layout.forget}>{t('bundle.forget_layout')}</Button>}
        </div>
      )}
      {object && <ObjectView object={object} />}
    </>
  );
}

/** Where each object stands now. */
function placed(core: cytoscape.Core | null): Positions {
  const round = (n: number) => Math.round(n * 10) / 10;
  return Object.fromEntries((core?.nodes().toArray() ?? []).map((node) => [String(node.id()), [round(node.position().x), round(node.position().y)]]));
}

function Key({ group }: { group: Group }) {
  return <i className={`key ${group}`} aria-hidden="true" />;
}
