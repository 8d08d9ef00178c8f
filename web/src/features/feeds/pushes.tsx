// What of ours goes to the servers of others.
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { patch, post } from '@/api/client';
import { reads } from '@/api/queries';
import type { Push } from '@/api/types';
import { useMay } from '@/app/session';
import { useAct } from '@/parts/act';
import { Button } from '@/parts/button';
import { count } from '@/parts/format';
import { Empty, Failed, Loaded, Panel } from '@/parts/page';
import { DataTable, type Column } from '@/parts/table';
import { PlainTag, TlpTag } from '@/parts/tags';
import { Wall } from '@/parts/time';
import { t, tn, word } from '@/strings/pages';
import { ChangePush, NewPush } from './push-form';

export function Pushes() {
  const may = useMay('feeds.write');
  const [changed, setChanged] = useState('');
  const pushes = useQuery(reads.pushes());
  const run = useAct((push: Push) => post(`/pushes/${push.id}/run`), ['pushes']);
  const pause = useAct((push: Push) => patch(`/pushes/${push.id}`, { paused: push.state !== 'paused' }), ['pushes']);
  const one = pushes.data?.find((push) => push.id === changed);
  const columns: Column<Push>[] = [
    { id: 'name', head: t('feeds.push.name'), cell: (row) => <>{row.name}<span className="small quiet" style={{ display: 'block' }}>{row.url}</span></>, sort: (row) => row.name },
    { id: 'state', head: t('feeds.col.state'), cell: (row) => <><PlainTag>{word('feeds.state', row.state)}</PlainTag>{row.last_error && <span className="small soft" style={{ display: 'block' }}>{row.last_error}</span>}</>, sort: (row) => row.state },
    {
      id: 'counts',
      head: t('feeds.push.counts'),
      cell: (row) => (
        <span className="small">
          {t('feeds.push.counted', { sent: count(row.sent), pending: count(row.pending), withheld: count(row.withheld) })}{' '}
          {row.withheld > 0 && <a href={`/api/v1/pushes/${row.id}/withheld`} download={`${row.name}-withheld.json`}>{t('feeds.push.why')}</a>}{' '}
          {row.failed > 0 && <a href={`/api/v1/pushes/${row.id}/failures`} download={`${row.name}-refused.json`}>{tn('feeds.push.failed', row.failed)}</a>}
        </span>
      ),
      sort: (row) => row.sent,
    },
    { id: 'ok', head: t('feeds.push.ok'), cell: (row) => (row.last_ok ? <Wall at={row.last_ok} relative /> : '–'), sort: (row) => row.last_ok ?? '' },
    { id: 'for', head: t('feeds.push.for'), cell: (row) => row.for ?? <span className="soft">{t('feeds.push.for_nobody')}</span>, sort: (row) => row.for ?? '' },
    { id: 'highest', head: t('feeds.push.highest'), cell: (row) => <TlpTag value={row.highest} />, sort: (row) => row.highest },
    {
      id: 'acts',
      head: '',
      cell: (row) => may && (
        <span className="inline">
          <Button small plain disabled={run.isPending} onClick={() => run.mutate(row)} aria-label={t('feeds.push.run_this', { name: row.name })}>{t('feeds.push.run')}</Button>
          <Button small plain disabled={pause.isPending} onClick={() => pause.mutate(row)} aria-label={t(row.state === 'paused' ? 'feeds.push.resume_this' : 'feeds.pause_this', { name: row.name })}>{t(row.state === 'paused' ? 'feeds.resume' : 'feeds.pause')}</Button>
          <Button small plain onClick={() => setChanged(changed === row.id ? '' : row.id)} aria-expanded={changed === row.id} aria-label={t('feeds.push.change_of', { name: row.name })}>{t('feeds.push.change')}</Button>
        </span>
      ),
    },
  ];
  return (
    <Panel title={t('feeds.push.title')} flush>
      {run.isError && <Failed error={run.error} />}
      {pause.isError && <Failed error={pause.error} />}
      <Loaded query={pushes}>
        {(list) => (list.length === 0 ? <Empty title={t('feeds.push.empty')}>{t('feeds.push.empty_why')}</Empty> : <DataTable rows={list} columns={columns} caption={t('feeds.push.title')} rowKey={(row) => row.id} />)}
      </Loaded>
      {may && (
        <div className="stack" style={{ padding: 16 }}>
          {one && <ChangePush key={one.id} push={one} onClose={() => setChanged('')} />}
          <NewPush />
        </div>
      )}
    </Panel>
  );
}
