import { TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { reads } from '@/api/queries';
import type { IntelAnswer, IntelStock } from '@/api/types';
import { count, figure } from '@/parts/format';
import { Empty, Failed, Ghost, Loaded, PageView, Panel } from '@/parts/page';
import { sentence } from '@/parts/sentence';
import { DataTable, type Column } from '@/parts/table';
import { PlainTag } from '@/parts/tags';
import { Wall } from '@/parts/time';
import { Value } from '@/parts/value';
import { t, tn, word } from '@/strings/pages';
import './cti.css';
import { Button } from '@/parts/button';

const stockColumns: Column<IntelStock>[] = [
  { id: 'name', head: t('intel.col.name'), cell: (row) => <b>{row.name}</b>, sort: (row) => row.name },
  { id: 'values', head: t('intel.col.values'), cell: (row) => count(row.values), sort: (row) => row.values, right: true },
  { id: 'loaded', head: t('intel.col.loaded'), cell: (row) => (row.loaded_at ? <Wall at={row.loaded_at} relative /> : '–'), sort: (row) => row.loaded_at ?? '' },
  { id: 'licence', head: t('intel.col.licence'), cell: (row) => row.licence, sort: (row) => row.licence },
];

export function LookupPage() {
  const { value = '' } = useSearch({ strict: false }) as { value?: string };
  const answer = useQuery(reads.lookup(value));
  const sources = useQuery(reads.intelSources());
  const known = sources.data?.reduce((sum, source) => sum + source.values, 0) ?? 0;
  const title = value === '' ? tn('intel.title', sources.data?.length ?? 0, { values: count(known) }) : answer.data ? t(answer.data.known ? 'intel.known' : 'intel.unknown', { value }) : t('intel.asking', { value });
  return (
    <PageView title={title} lead={t('intel.lead')} actions={<><Link to="/knowledge">{t('nav.knowledge')}</Link><Link to="/matrix">{t('nav.matrix')}</Link><Link to="/feeds">{t('nav.feeds')}</Link></>}>
      <div className="stack wide">
        <section className="panel"><div className="body"><Ask value={value} /></div></section>
        {value !== '' && (answer.data ? <Answer answer={answer.data} /> : answer.isError ? <Failed error={answer.error} retry={answer.refetch} /> : <section className="panel"><Ghost rows={3} /></section>)}
        <Panel title={t('intel.sources')} flush>
          <Loaded query={sources}>
            {(list) => (list.length === 0 ? <Empty title={t('intel.empty')}>{t('intel.empty_why')}</Empty> : <DataTable rows={list} columns={stockColumns} caption={t('intel.sources')} rowKey={(row) => row.name} />)}
          </Loaded>
        </Panel>
      </div>
    </PageView>
  );
}

function Ask({ value }: { value: string }) {
  const [typed, setTyped] = useState(value);
  const navigate = useNavigate();
  useEffect(() => setTyped(value), [value]);
  return (
    <form
      className="lookup"
      onSubmit={(event) => {
        event.preventDefault();
        if (typed.trim() !== '') void navigate({ to: '/intel', search: { value: typed.trim() } });
      }}
    >
      <TextInput label={t('intel.value')} placeholder="178.128.185.250" maxLength={256} value={typed} onChange={(event) => setTyped(event.currentTarget.value)} styles={{ input: { fontFamily: 'var(--mono)' } }} />
      <Button type="submit">{t('intel.ask')}</Button>
    </form>
  );
}

/** What is left of a word, and why it counts or does not. */
function Left({ source }: { source: IntelAnswer['sources'][number] }) {
  return (
    <span className="small quiet" style={{ display: 'block' }}>
      {t('intel.left', { score: Math.round(source.score_now), threshold: Math.round(source.threshold) })}{' '}
      {source.excused_by !== null ? t('know.excused_by', { lists: source.excused_by }) : word('know.standing', source.standing)}
      {source.until && <> {t(source.standing === 'lives' ? 'know.until' : 'know.was_until')} <Wall at={source.until} /></>}
    </span>
  );
}

function Answer({ answer }: { answer: IntelAnswer }) {
  return (
    <Panel title={<Value kind="address" value={answer.value} />} end={<PlainTag tone={answer.known ? 'high' : 'low'} shape={answer.known ? 'diamond' : 'ring'}>{t(answer.known ? 'intel.is_known' : 'intel.is_unknown')}</PlainTag>}>
      <div className="stack">
        <p>{sentence(answer.summary)}</p>
        {!answer.known && <p className="small quiet">{t('intel.unknown_note')}</p>}
        {answer.sources.length > 0 && (
          <dl className="facts">
            {answer.sources.map((source) => (
              <div key={`${source.name}${source.object}${source.named}`} style={{ display: 'contents' }}>
                <dt>{source.name}</dt>
                <dd>{source.score !== null && t('intel.score', { score: figure(source.score) })} {source.object && <Link to="/knowledge/$id" params={{ id: source.object }}><code className="wrap">{source.object}</code></Link>} <Left source={source} /></dd>
              </div>
            ))}
          </dl>
        )}
        <div><Link to="/findings" search={{ q: `peer:"${answer.value}"` }}>{t('value.findings')}</Link></div>
      </div>
    </Panel>
  );
}
