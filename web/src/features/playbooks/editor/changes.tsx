// What the draft changes: on the canvas, and in a table, before it is saved.
import { lazy, Suspense, useMemo } from 'react';
import { Empty, Ghost } from '@/parts/page';
import { DataTable, type Column } from '@/parts/table';
import { PlainTag } from '@/parts/tags';
import { t, tn, word } from '@/strings/pages';
import { changeMark, stepWord } from '../canvas/look';
import { differences, union, type Difference, type FieldChange } from '../model/diff';
import { workflowOf, type Doc } from '../model/document';

const Canvas = lazy(() => import('../canvas/canvas'));
const MOST_FIELDS = 12;
/** The name of the step a text is the id of. */
type NameOf = (id: string) => string | null;

const columnsFor = (nameOf: NameOf): Column<Difference>[] => [
  { id: 'part', head: t('change.part'), cell: (row) => word('change.of', row.part), sort: (row) => row.part },
  { id: 'title', head: t('change.what'), cell: (row) => <span className="strong">{row.title}</span>, sort: (row) => row.title },
  { id: 'change', head: t('change.how'), cell: (row) => { const mark = changeMark(row.change); return <PlainTag tone={mark.tone} shape={mark.shape}>{mark.word}</PlainTag>; }, sort: (row) => row.change },
  { id: 'fields', head: t('change.fields'), cell: (row) => <Fields fields={row.fields} nameOf={nameOf} /> },
];

interface ChangesProps {
  base: Doc;
  doc: Doc;
  chosen: string | null;
  onChoose: (id: string | null) => void;
}

export function Changes({ base, doc, chosen, onChoose }: ChangesProps) {
  const list = useMemo(() => differences(base, doc), [base, doc]);
  const both = useMemo(() => union(base, doc), [base, doc]);
  const marks = useMemo(() => new Map([...both.steps].map(([id, change]) => [id, changeMark(change)])), [both]);
  const columns = useMemo(() => {
    const flow = workflowOf(both.doc);
    return columnsFor((id) => (Object.hasOwn(flow, id) ? `→ ${stepWord(id, flow[id])}` : null));
  }, [both]);
  const ways = useMemo(() => (key: string) => both.exits.get(key) ?? '', [both]);
  if (list.length === 0) return <Empty title={t('change.none')}>{t('change.none_why')}</Empty>;
  return (
    <>
      <Suspense fallback={<Ghost rows={8} />}>
        <Canvas doc={both.doc} label={t('change.canvas')} chosen={chosen} onChoose={onChoose} marks={marks} ways={ways} />
      </Suspense>
      <DataTable rows={list} columns={columns} caption={tn('change.count', list.length)} rowKey={(row) => `${row.part} ${row.key}`} />
    </>
  );
}

function Fields({ fields, nameOf }: { fields: FieldChange[]; nameOf: NameOf }) {
  if (fields.length === 0) return <>–</>;
  return (
    <ul className="field-changes">
      {fields.slice(0, MOST_FIELDS).map((field) => (
        <li key={field.place}>
          {field.place !== '' && <code>{field.place}</code>}
          <del>{value(field.before, nameOf)}</del>
          <span className="hidden-text"> {t('change.now')} </span>
          <ins>{value(field.after, nameOf)}</ins>
        </li>
      ))}
      {fields.length > MOST_FIELDS && <li className="quiet">{tn('change.more', fields.length - MOST_FIELDS)}</li>}
    </ul>
  );
}

const LONGEST = 240;

function value(of: unknown, nameOf: NameOf): string {
  if (of === undefined) return '–';
  const name = typeof of === 'string' ? nameOf(of) : null;
  if (name !== null) return name;
  const written = typeof of === 'string' ? of : JSON.stringify(of);
  return written.length > LONGEST ? `${written.slice(0, LONGEST)}…` : written;
}
