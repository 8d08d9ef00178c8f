// The watch as a picture: device, gateway, the rest; and the two nodes. The same in words beside it.
import { useElementSize } from '@mantine/hooks';
import { useState } from 'react';

import { linesOf } from '@/parts/lines';
import { Panel } from '@/parts/page';
import { Segments } from '@/parts/segments';
import { t } from '@/strings/t';
import { links, nodes, type DiagramLink, type DiagramNode } from './diagram-model';
import type { SituationData } from './use-situation';
import { useLive } from '@/app/store';

export function Diagram({ now }: { now: SituationData }) {
  const [form, setForm] = useState<'picture' | 'words'>('picture');
  const { ref, width } = useElementSize();
  const counters = useLive((live) => live.counters);
  const input = { ...now, counters };
  const parts = { nodes: nodes(input), links: links(input) };
  return (
    <Panel
      title={t('diagram.title')}
      end={<Segments label={t('diagram.form')} value={form} onChange={setForm} options={[['picture', t('diagram.picture')], ['words', t('diagram.words')]]} />}
    >
      <div ref={ref} className="diagram">
        {form === 'words' ? <Words {...parts} /> : width > 200 && <Picture {...parts} width={width} />}
      </div>
    </Panel>
  );
}

interface Parts {
  nodes: DiagramNode[];
  links: DiagramLink[];
}

const BOX = { height: 74, rowGap: 62 };
const GAP = { first: 62, second: 116 };
/** Mean width of a letter at the sizes used, px: SVG cannot wrap by itself. */
const LETTER = { name: 6.9, what: 6.1 };

function Picture({ nodes: boxes, links: lines, width }: Parts & { width: number }) {
  const boxWidth = Math.min(230, (width - GAP.first - GAP.second) / 3);
  const slack = Math.max(0, width - 3 * boxWidth - GAP.first - GAP.second) / 2;
  const columns = [0, boxWidth + GAP.first + slack, 2 * boxWidth + GAP.first + GAP.second + 2 * slack];
  const place = (node: DiagramNode) => ({ x: columns[node.column] ?? 0, y: 2 + node.row * (BOX.height + BOX.rowGap) });
  const byKey = new Map(boxes.map((box) => [box.key, box]));
  const height = 4 + BOX.height + Math.max(...boxes.map((box) => box.row)) * (BOX.height + BOX.rowGap);
  return (
    <svg width={width} height={height} role="img" aria-label={`${t('diagram.title')}: ${sentences(boxes, lines).join(' ')}`}>
      {lines.map((line) => {
        const [from, to] = [byKey.get(line.from), byKey.get(line.to)];
        return from && to ? <Line key={line.key} line={line} from={place(from)} to={place(to)} boxWidth={boxWidth} /> : null;
      })}
      {boxes.map((box) => <Box key={box.key} box={box} {...place(box)} width={boxWidth} />)}
    </svg>
  );
}

function Box({ box, x, y, width }: { box: DiagramNode; x: number; y: number; width: number }) {
  const name = linesOf(box.name, (width - 26) / LETTER.name, 2);
  const what = linesOf(box.what, (width - 26) / LETTER.what, 3 - name.length);
  const top = y + (BOX.height - 18 * (name.length + what.length)) / 2 + 13;
  return (
    <g className={`box ${box.tone}`}>
      <title>{`${box.name}: ${box.what}`}</title>
      <rect x={x + 0.5} y={y + 0.5} width={width - 1} height={BOX.height - 1} rx={5} className="ground" />
      <rect x={x + 0.5} y={y + 0.5} width={4} height={BOX.height - 1} rx={2} className="edge" />
      {name.map((text, index) => <text key={text} x={x + 15} y={top + 18 * index} className="name">{text}</text>)}
      {what.map((text, index) => <text key={text} x={x + 15} y={top + 18 * (name.length + index)} className="what">{text}</text>)}
    </g>
  );
}

interface Point {
  x: number;
  y: number;
}

function Line({ line, from, to, boxWidth }: { line: DiagramLink; from: Point; to: Point; boxWidth: number }) {
  const middle = BOX.height / 2;
  if (from.x === to.x) {
    const x = from.x + boxWidth / 2;
    const [y1, y2] = [from.y + BOX.height + 2, to.y - 2];
    return (
      <g className={`link ${line.tone}`}>
        <path d={`M${x} ${y1}V${y2}`} />
        <path d={`M${x - 4} ${y2 - 6}l4 6 4-6`} className="head" />
        <text x={x + 10} y={(y1 + y2) / 2 + 4}>{line.text}</text>
      </g>
    );
  }
  const [x1, x2] = [from.x + boxWidth + 3, to.x - 3];
  const y = from.y + middle;
  const centre = (x1 + x2) / 2;
  return (
    <g className={`link ${line.tone}`}>
      <path d={`M${x1} ${y}H${x2}`} />
      {line.both && <path d={`M${x1 + 6} ${y - 4}l-6 4 6 4`} className="head" />}
      <path d={`M${x2 - 6} ${y - 4}l6 4-6 4`} className="head" />
      {line.tone === 'cut' && (
        <g className="stop"><circle cx={centre} cy={y} r={8} /><path d={`M${centre - 4} ${y - 4}l8 8M${centre + 4} ${y - 4}l-8 8`} /></g>
      )}
      <text x={centre} y={y - 13} className="middle">{line.text}</text>
      {line.more && <text x={centre} y={y + 22} className="middle more">{line.more}</text>}
    </g>
  );
}

function sentences(boxes: DiagramNode[], lines: DiagramLink[]): string[] {
  const name = (key: string) => boxes.find((box) => box.key === key)?.name ?? key;
  return [
    ...boxes.map((box) => t('diagram.box_sentence', { name: box.name, what: box.what })),
    ...lines.map((line) => t('diagram.link_sentence', { from: name(line.from), to: name(line.to), text: [line.text, line.more].filter(Boolean).join(', ') })),
  ];
}

function Words({ nodes: boxes, links: lines }: Parts) {
  return (
    <ul className="stack tight">
      {sentences(boxes, lines).map((sentence) => <li key={sentence}>{sentence}</li>)}
    </ul>
  );
}

