import { useQuery } from '@tanstack/react-query';
import { reads } from '@/api/queries';
import type { Peer, Share } from '@/api/types';
import { Guide } from '@/parts/empty';
import { Loaded, PageView, Panel } from '@/parts/page';
import { DataTable, type Column } from '@/parts/table';
import { sentence } from '@/parts/sentence';
import { PeerTag, ShareTag, TlpTag } from '@/parts/tags';
import { Wall } from '@/parts/time';
import { Digest } from '@/parts/value';
import { t, tn, word } from '@/strings/pages';

const shareColumns: Column<Share>[] = [
  { id: 'peer', head: t('shares.col.peer'), cell: (row) => row.peer_name, sort: (row) => row.peer_name },
  { id: 'state', head: t('shares.col.state'), cell: (row) => <ShareTag value={row.state} />, sort: (row) => row.state },
  { id: 'reason', head: t('shares.col.reason'), cell: (row) => sentence(row.decision.reason) },
  { id: 'tlp', head: t('incidents.col.tlp'), cell: (row) => <TlpTag value={row.tlp} />, sort: (row) => row.tlp },
  { id: 'objects', head: t('shares.col.objects'), cell: (row) => row.objects, sort: (row) => row.objects, right: true },
  { id: 'decided', head: t('shares.col.decided'), cell: (row) => <Wall at={row.decided_at} relative />, sort: (row) => row.decided_at },
];

const peerColumns: Column<Peer>[] = [
  { id: 'name', head: t('peers.col.name'), cell: (row) => <b>{row.name}</b>, sort: (row) => row.name },
  { id: 'state', head: t('peers.col.state'), cell: (row) => <PeerTag value={row.state} />, sort: (row) => row.state },
  { id: 'direction', head: t('peers.col.direction'), cell: (row) => word('peer.direction', row.direction), sort: (row) => row.direction },
  { id: 'url', head: t('peers.col.url'), cell: (row) => <span className="mono wrap">{row.url ?? t('peers.calls_us')}</span> },
  { id: 'contact', head: t('peers.col.contact'), cell: (row) => (row.last_contact ? <Wall at={row.last_contact} relative /> : '–'), sort: (row) => row.last_contact ?? '' },
  { id: 'fingerprint', head: t('peers.col.fingerprint'), cell: (row) => (row.fingerprint ? <Digest value={row.fingerprint} length={8} /> : '–') },
];

export function ShareList() {
  const shares = useQuery(reads.shares());
  const peers = useQuery(reads.peers());
  const waiting = shares.data?.items.filter((share) => share.state === 'queued').length ?? 0;
  return (
    <PageView title={shares.data ? (waiting > 0 ? tn('shares.title_waiting', waiting) : tn('shares.title', shares.data.items.length)) : t('nav.sharing')} lead={t('shares.lead')}>
      <div className="stack wide">
        <Panel title={t('shares.all')} flush>
          <Loaded query={shares}>
            {({ items }) =>
              items.length === 0 ? <Guide name="shares" title={t('shares.empty')} why={t('shares.empty_why')} /> : (
                <DataTable rows={items} columns={shareColumns} caption={t('shares.all')} rowKey={(row) => row.id} door={(row) => ({ to: '/shares/$id', params: { id: row.id } })} />
              )
            }
          </Loaded>
        </Panel>
        <Panel title={t('peers.title')} flush>
          <Loaded query={peers}>
            {(list) => (list.length === 0 ? <Guide name="peers" title={t('peers.empty')} why={t('peers.empty_why')} /> : <DataTable rows={list} columns={peerColumns} caption={t('peers.title')} rowKey={(row) => row.id} />)}
          </Loaded>
        </Panel>
      </div>
    </PageView>
  );
}
