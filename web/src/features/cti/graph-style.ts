import type { StylesheetJson } from 'cytoscape';

const token = (name: string) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** The graph's look from the console's own tokens; each group has its own shape. */
export function graphStyle(): StylesheetJson {
  const group = (name: string, shape: string, colour: string) => ({
    selector: `node.${name}`,
    style: { shape: shape as 'ellipse', 'background-color': token(`${colour}-soft`), 'border-color': token(colour) },
  });
  return [
    {
      selector: 'node',
      style: {
        width: 32, height: 32, 'border-width': 2, 'background-color': token('--surface-3'), 'border-color': token('--line-strong'),
        label: 'data(label)', color: token('--text'), 'font-family': 'Inter', 'font-size': 12, 'text-valign': 'bottom', 'text-margin-y': 5,
        'text-wrap': 'ellipsis', 'text-max-width': '190px', 'text-background-color': token('--surface'), 'text-background-opacity': 0.85, 'text-background-padding': '2px',
      },
    },
    group('who', 'ellipse', '--accent'),
    group('threat', 'diamond', '--high'),
    group('seen', 'round-rectangle', '--low'),
    group('incident', 'octagon', '--critical'),
    group('answer', 'round-hexagon', '--good'),
    group('marking', 'rectangle', '--medium'),
    {
      selector: 'edge',
      style: {
        width: 1.5, 'line-color': token('--line-strong'), 'target-arrow-color': token('--line-strong'), 'target-arrow-shape': 'triangle', 'arrow-scale': 0.8,
        'curve-style': 'bezier', label: 'data(label)', 'font-size': 10.5, color: token('--text-2'), 'font-family': 'Inter', 'text-rotation': 'autorotate',
        'text-background-color': token('--surface'), 'text-background-opacity': 0.9, 'text-background-padding': '1px',
      },
    },
    { selector: 'node.chosen', style: { 'border-width': 3.5, 'border-color': token('--text') } },
    { selector: 'edge.chosen', style: { width: 2.2, 'line-color': token('--accent'), 'target-arrow-color': token('--accent') } },
  ];
}
