import { useQuery } from '@tanstack/react-query';
import { patch, post } from '@/api/client';
import { reads } from '@/api/queries';
import type { Feed } from '@/api/types';
import { useAct } from '@/parts/act';
import { Button } from '@/parts/button';
import { count } from '@/parts/format';
import { Guide } from '@/parts/empty';
import { Failed, Loaded, PageView } from '@/parts/page';
import { DataTable, type Column } from '@/parts/table';
import { PlainTag, TlpTag } from '@/parts/tags';
import { Wall } from '@/parts/time';
import { t, tn, word } from '@/strings/pages';
import { NewFeed } from './add';
import { Pushes } from './pushes';

const SHAPES = { fine: ['low', 'ring'], failing: ['high', 'diamond'], paused: [undefined, undefined], never: [undefined, undefined] } as const;

function State({ feed }: { feed: Feed }) {
  const [tone, shape] = SHAPES[feed.state];
  return (
    <>
      {tone ? <PlainTag tone={tone} shape={shape}>{word('feeds.state', feed.state)}</PlainTag> : <PlainTag>{word('feeds.state', feed.state)}</PlainTag>}
      {feed.last_error && <span className="small soft" style={{ display: 'block' }}>{feed.last_error}</span>}
    </>
  );
}

/** What the last run counted; refused lines are a door to why. */
function Counted({ feed }: { feed: Feed }) {
  if (!feed.counts) return <span className="quiet">–</span>;
  const c = feed.counts;
  return (
    <span className="small">
      {t('feeds.counted', { records: count(c.records), new: count(c.new), updated: count(c.updated), same: count(c.same), twice: count(c.duplicate), common: count(c.well_known), gone: count(c.gone) })}{' '}
      {c.rejected > 0 && <a href={`/api/v1/feeds/${feed.id}/rejects`} download={`${feed.name}-refused.json`}>{tn('feeds.refused', c.rejected)}</a>}
    </span>
  );
}

export function FeedsPage() {
  const feeds = useQuery(reads.feeds());
  const failing = feeds.data?.filter((feed) => feed.state === 'failing').length ?? 0;
  const run = useAct((feed: Feed) => post(`/feeds/${feed.id}/run`), ['feeds', 'intel-sources']);
  const pause = useAct((feed: Feed) => patch(`/feeds/${feed.id}`, { paused: feed.state !== 'paused' }), ['feeds']);
  const columns: Column<Feed>[] = [
    { id: 'name', head: t('feeds.col.name'), cell: (row) => <>{row.name}<span className="small quiet" style={{ display: 'block' }}>{row.url ?? t('feeds.by_hand')}</span></>, sort: (row) => row.name },
    { id: 'state', head: t('feeds.col.state'), cell: (row) => <State feed={row} />, sort: (row) => row.state },
    { id: 'counts', head: t('feeds.col.counts'), cell: (row) => <Counted feed={row} />, sort: (row) => row.counts?.records ?? 0 },
    { id: 'ok', head: t('feeds.col.ok'), cell: (row) => (row.last_ok ? <Wall at={row.last_ok} relative /> : '–'), sort: (row) => row.last_ok ?? '' },
    { id: 'tlp', head: t('know.col.tlp'), cell: (row) => <TlpTag value={row.tlp} />, sort: (row) => row.tlp },
    {
      id: 'acts',
      head: '',
      cell: (row) => (
        <span className="inline">
          {row.url && <Button small plain disabled={run.isPending} onClick={() => run.mutate(row)} aria-label={t('feeds.run_this', { name: row.name })}>{t('feeds.run')}</Button>}
          {row.url && <Button small plain disabled={pause.isPending} onClick={() => pause.mutate(row)} aria-label={t(row.state === 'paused' ? 'feeds.resume_this' : 'feeds.pause_this', { name: row.name })}>{t(row.state === 'paused' ? 'feeds.resume' : 'feeds.pause')}</Button>}
        </span>
      ),
    },
  ];
  return (
    <PageView title={feeds.data ? (failing > 0 ? tn('feeds.failing', failing, { all: feeds.data.length }) : tn('feeds.title', feeds.data.length)) : t('nav.feeds')} lead={t('feeds.lead')}>
      {run.isError && <Failed error={run.error} />}
      {pause.isError && <Failed error={pause.error} />}
      <div className="stack wide">
        <section className="panel">
          <Loaded query={feeds}>
            {(list) => (list.length === 0 ? <Guide name="feeds" title={t('feeds.empty')} why={t('feeds.empty_why')} /> : <DataTable rows={list} columns={columns} caption={t('nav.feeds')} rowKey={(row) => row.id} />)}
          </Loaded>
        </section>
        <NewFeed />
        <Pushes />
      </div>
    </PageView>
  );
}
