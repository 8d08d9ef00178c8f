import { TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { post } from '@/api/client';
import { reads } from '@/api/queries';
import type { ObjectRetraction, SharedObject } from '@/api/types';
import { useMay } from '@/app/session';
import { useAct } from '@/parts/act';
import { Button } from '@/parts/button';
import { Banner, Failed, Ghost, PageView, Panel } from '@/parts/page';
import { DataTable, type Column } from '@/parts/table';
import { TlpTag } from '@/parts/tags';
import { Wall } from '@/parts/time';
import { t, tn, word } from '@/strings/pages';
import { Counts, HandTag } from './state';

const columns: Column<SharedObject>[] = [
  { id: 'object', head: t('fed.col.object'), cell: (row) => <Link to="/knowledge/$id" params={{ id: row.object }}><code className="wrap">{row.object}</code></Link>, sort: (row) => row.object },
  { id: 'peer', head: t('fed.col.peer'), cell: (row) => row.peer_name || <span className="quiet">{row.peer}</span>, sort: (row) => row.peer_name },
  { id: 'state', head: t('fed.col.state'), cell: (row) => <><HandTag state={row.state} />{row.reason && <span className="small soft" style={{ display: 'block' }}>{row.reason}</span>}</>, sort: (row) => row.state },
  { id: 'tlp', head: t('know.col.tlp'), cell: (row) => <TlpTag value={row.tlp} />, sort: (row) => row.tlp },
  { id: 'version', head: t('fed.col.version'), cell: (row) => (row.version ? <Wall at={row.version} /> : '–'), sort: (row) => row.version ?? '' },
  { id: 'changed', head: t('fed.col.changed'), cell: (row) => <Wall at={row.changed_at} relative />, sort: (row) => row.changed_at },
];

/** One share: who got what, who did not, and why. */
export function ObjectSharePage() {
  const { id } = useParams({ strict: false }) as { id: string };
  const share = useQuery(reads.objectShare(id));
  const may = useMay('federation.share');
  const it = share.data;
  const objects = it?.objects ?? [];
  const got = objects.filter((one) => one.state === 'received').length;
  return (
    <PageView title={it ? tn('fed.share_title', got, { all: objects.length }) : t('nav.exchange')} crumb={{ to: '/exchange', text: t('nav.exchange') }} lead={it?.note}>
      {share.isError && <Failed error={share.error} retry={share.refetch} />}
      <div className="stack wide">
        {it ? (
          <>
            <Panel title={t('fed.stands')}>
              <dl className="facts">
                <dt>{t('fed.col.by')}</dt><dd>{it.made_by} <span className="quiet">({word('fed.kind', it.kind)})</span></dd>
                <dt>{t('fed.col.at')}</dt><dd><Wall at={it.recorded_at} /></dd>
                <dt>{t('fed.col.stands')}</dt><dd><Counts counts={it.counts} /></dd>
              </dl>
            </Panel>
            <Panel title={t('fed.hands')} flush><DataTable rows={objects} columns={columns} caption={t('fed.hands')} rowKey={(row) => `${row.peer} ${row.object} ${row.community ?? ''}`} /></Panel>
            {may && <Retract objects={[...new Set(objects.filter((one) => ['queued', 'sent', 'received'].includes(one.state)).map((one) => one.object))]} />}
          </>
        ) : !share.isError && <section className="panel"><Ghost rows={5} /></section>}
      </div>
    </PageView>
  );
}

function Retract({ objects }: { objects: string[] }) {
  const [reason, setReason] = useState('');
  const act = useAct(() => post<ObjectRetraction>('/federation/retractions', { objects, reason: reason.trim() }), ['federation']);
  if (objects.length === 0 && !act.data) return null;
  return (
    <Panel title={t('fed.retract')}>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          act.mutate();
        }}
      >
        <p>{t('fed.retract_why')}</p>
        <div className="row" style={{ alignItems: 'flex-end' }}>
          <TextInput label={t('fed.retract_reason')} required maxLength={500} w={360} value={reason} onChange={(event) => setReason(event.currentTarget.value)} />
          <Button type="submit" plain disabled={act.isSuccess} busy={act.isPending}>{tn('fed.retract_go', objects.length)}</Button>
        </div>
        {act.isError && <Failed error={act.error} />}
        {act.data && <Banner tone="good" icon="check">{t('fed.retracted')} <Link to="/retractions/$id" params={{ id: act.data.id }}>{t('preview.follow')}</Link></Banner>}
      </form>
    </Panel>
  );
}
