import { FileInput, NativeSelect, NumberInput, Textarea, TextInput } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { post, postText } from '@/api/client';
import type { ReportCandidate, ReportReview, ReportStored } from '@/api/types';
import { useAct } from '@/parts/act';
import { Button } from '@/parts/button';
import { Check } from '@/parts/check';
import { count } from '@/parts/format';
import { Empty, Failed, PageView, Panel } from '@/parts/page';
import { DataTable, type Column } from '@/parts/table';
import { t, tn, word } from '@/strings/pages';
import './knowledge.css';

const LABELS = ['clear', 'green', 'amber', 'amber+strict', 'red'];

/** From a text to objects: read, look twice, tick, store. */
export function ReportPage() {
  const [text, setText] = useState('');
  const [taken, setTaken] = useState<Set<string>>(new Set());
  const look = useAct((report: string) => postText<ReportReview>('/knowledge/reports/extract', report), [], (review) =>
    setTaken(new Set(review.candidates.filter((one) => one.suggestion === 'accept').map((one) => one.key))),
  );
  const review = look.data;
  const toggle = (key: string) => setTaken((before) => {
    const next = new Set(before);
    if (!next.delete(key)) next.add(key);
    return next;
  });
  const edit = (changed: string) => {
    setText(changed);
    // What is ticked belongs to the text that was read.
    look.reset();
  };
  return (
    <PageView title={review ? tn('report.found', review.candidates.length) : t('report.title')} crumb={{ to: '/knowledge', text: t('nav.knowledge') }} lead={t('report.lead')}>
      <div className="stack wide">
        <Panel title={t('report.text')}>
          <form
            className="stack"
            onSubmit={(event) => {
              event.preventDefault();
              look.mutate(text);
            }}
          >
            <Textarea aria-label={t('report.text')} autosize minRows={6} maxRows={16} value={text} onChange={(event) => edit(event.currentTarget.value)} />
            <div className="query-bar">
              <FileInput label={t('report.file')} accept=".txt,.md,.html,.htm,text/*" placeholder="report.md" onChange={(file) => void file?.text().then(edit)} />
              <Button type="submit" disabled={text.trim() === ''} busy={look.isPending}>{t('report.go')}</Button>
            </div>
          </form>
          {look.isError && <Failed error={look.error} />}
        </Panel>
        {review && review.stored_as.length > 0 && (
          <Panel title={t('report.stored_before')}>{review.stored_as.map((one) => <p key={one}><Link to="/knowledge/$id" params={{ id: one }}>{one}</Link></p>)}</Panel>
        )}
        {review && <Candidates review={review} taken={taken} toggle={toggle} />}
        {review && review.candidates.length > 0 && <Store text={text} taken={taken} />}
      </div>
    </PageView>
  );
}

function Doubts({ one }: { one: ReportCandidate }) {
  if (one.doubts.length === 0) return <span className="quiet">–</span>;
  return (
    <>
      {one.doubts.map((doubt) => word('report.doubt', doubt)).join(', ')}
      {one.warninglists.length > 0 && <span className="small quiet" style={{ display: 'block' }}>{one.warninglists.join(', ')}</span>}
    </>
  );
}

function Candidates({ review, taken, toggle }: { review: ReportReview; taken: Set<string>; toggle: (key: string) => void }) {
  const columns: Column<ReportCandidate>[] = [
    { id: 'take', head: t('report.col.take'), cell: (row) => <Check label={t('report.pick', { key: row.key })} checked={taken.has(row.key)} onChange={() => toggle(row.key)} />, sort: (row) => (taken.has(row.key) ? 0 : 1) },
    { id: 'value', head: t('report.col.value'), cell: (row) => <code className="wrap">{row.defanged}</code>, sort: (row) => row.value },
    { id: 'kind', head: t('report.col.kind'), cell: (row) => row.kind, sort: (row) => row.kind },
    { id: 'doubts', head: t('report.col.doubts'), cell: (row) => <Doubts one={row} />, sort: (row) => row.doubts.length },
    { id: 'line', head: t('report.col.line'), cell: (row) => count(row.line), sort: (row) => row.line, right: true },
    { id: 'context', head: t('report.col.context'), cell: (row) => <span className="small">{row.context}</span> },
  ];
  return (
    <section className="panel">
      {review.candidates.length === 0 ? (
        <Empty title={t('report.none')}>{t('report.none_why')}</Empty>
      ) : (
        <DataTable rows={review.candidates} columns={columns} caption={t('report.title')} rowKey={(row) => row.key} />
      )}
      {review.untold > 0 && <p className="small quiet more-rows">{t('report.untold', { n: count(review.untold) })}</p>}
    </section>
  );
}

function Store({ text, taken }: { text: string; taken: Set<string> }) {
  const [title, setTitle] = useState('');
  const [source, setSource] = useState('');
  const [tlp, setTlp] = useState('amber');
  const [confidence, setConfidence] = useState<number | string>('');
  const store = useAct(
    () => post<ReportStored>('/knowledge/reports', { text, title, tlp, source, accept: [...taken], confidence: confidence === '' ? null : Number(confidence) }),
    ['knowledge', 'intel-sources'],
  );
  return (
    <Panel title={t('report.store_title')}>
      <form
        className="query-bar"
        onSubmit={(event) => {
          event.preventDefault();
          store.mutate();
        }}
      >
        <TextInput label={t('report.name')} required maxLength={300} value={title} onChange={(event) => setTitle(event.currentTarget.value)} />
        <TextInput label={t('report.source')} maxLength={120} value={source} onChange={(event) => setSource(event.currentTarget.value)} />
        <NativeSelect label={t('report.tlp')} value={tlp} onChange={(event) => setTlp(event.currentTarget.value)} data={LABELS.map((value) => ({ value, label: `TLP:${value.toUpperCase()}` }))} />
        <NumberInput label={t('report.confidence')} min={0} max={100} value={confidence} onChange={setConfidence} hideControls />
        <Button type="submit" disabled={taken.size === 0} busy={store.isPending}>{tn('report.store', taken.size)}</Button>
      </form>
      {store.isError && <Failed error={store.error} />}
      {store.data && (
        <p role="status">
          {t('report.stored', { objects: count(store.data.stored.objects), new: count(store.data.stored.new) })}{' '}
          <Link to="/knowledge/$id" params={{ id: store.data.report }}>{t('report.open_stored')}</Link>{' '}
          {store.data.skipped.length > 0 && t('report.skipped', { keys: store.data.skipped.join(', ') })}
        </p>
      )}
    </Panel>
  );
}
