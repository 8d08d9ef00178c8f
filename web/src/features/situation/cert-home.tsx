import { Link } from '@tanstack/react-router';
import { useQuery } from '@tanstack/react-query';
import { reads } from '@/api/queries';
import type { Incident, NodeInfo } from '@/api/types';
import { Acknowledge } from '@/features/incidents/acknowledge';
import { count } from '@/parts/format';
import { Empty, Failed, Ghost, Loaded, PageView, Panel } from '@/parts/page';
import { IncidentTag, PeerTag, PlainTag, SeverityTag, TlpTag } from '@/parts/tags';
import { Packet, Wall } from '@/parts/time';
import { t } from '@/strings/pages';
import { Credit } from './credit';
import { Feed } from './feed';
import { headline } from './headline';
import { Campaigns, Origins } from './campaigns';
import { Checklist } from './checklist';
import { Changes, QuestionsNow, useNowRead } from './present';
import './situation.css';

/** A CERT's first page: what constituents shared, and what still waits for an answer. */
export default function CertHome({ info }: { info: NodeInfo }) {
  const all = useQuery(reads.incidents('all'));
  const present = useNowRead();
  if (!all.data) {
    return (
      <PageView title={t('nav.situation')}>
        <section className="panel">{all.isError ? <div style={{ padding: 12 }}><Failed error={all.error} retry={all.refetch} /></div> : <Ghost rows={8} />}</section>
      </PageView>
    );
  }
  const received = all.data.items.filter((incident) => incident.received_share !== null || incident.origin !== info.node.id);
  const head = headline({ kind: 'cert', incidents: received, watched: [], gateways: [], strongest: null, enforced: false });
  const waiting = received.filter((incident) => incident.acknowledged_by === null);
  const answered = received.filter((incident) => incident.acknowledged_by !== null);
  return (
    <PageView title={head.title} lead={head.lead}>
      <div className="stack wide">
        {present.data && <Checklist cert now={present.data} />}
        {present.data && <Changes now={present.data} />}
        <div className="cols">
          <div className="stack wide">
            <Panel flush title={t('cert.waiting')} end={<span className="small quiet num">{count(waiting.length)}</span>}>
              {waiting.length === 0 && <Empty title={t('cert.waiting_none')}>{t('cert.waiting_why')}</Empty>}
              {waiting.map((incident) => <Received key={incident.id} incident={incident} answering />)}
            </Panel>
            {present.data && <Campaigns now={present.data} />}
            {answered.length > 0 && (
              <Panel flush title={t('cert.answered')} end={<span className="small quiet num">{count(answered.length)}</span>}>
                {answered.map((incident) => <Received key={incident.id} incident={incident} />)}
              </Panel>
            )}
          </div>
          <div className="stack wide">
            {present.data && <Origins now={present.data} />}
            {present.data && <QuestionsNow now={present.data} />}
            <Constituents />
            <Feed />
          </div>
        </div>
        <Credit info={info} />
      </div>
    </PageView>
  );
}

function Received({ incident, answering }: { incident: Incident; answering?: boolean }) {
  return (
    <article className="received">
      <div className="row">
        <SeverityTag value={incident.severity} />
        <IncidentTag value={incident.state} />
        <TlpTag value={incident.tlp} />
        {incident.acknowledged_by && <PlainTag tone="good" shape="check">{t('cert.by', { name: incident.acknowledged_by })}</PlainTag>}
      </div>
      <h3><Link to={`/incidents/${incident.id}`} data-row>{incident.title}</Link></h3>
      <p className="small soft">
        {t('cert.from', { name: incident.origin_name })} · {t('cert.known')} <Wall at={incident.recorded_at} relative /> · {t('cert.happened')} <Packet at={incident.event_at} />
      </p>
      {answering && <Acknowledge incident={incident} />}
    </article>
  );
}

function Constituents() {
  const peers = useQuery(reads.peers());
  return (
    <Panel title={t('cert.constituents')} end={<Link to="/shares" className="small">{t('cert.all_peers')}</Link>}>
      <Loaded query={peers} ghost={<Ghost rows={2} />}>
        {(list) =>
          list.length === 0 ? <Empty title={t('peers.empty')}>{t('peers.empty_why')}</Empty> : (
            <ul className="stack tight">
              {list.map((peer) => (
                <li key={peer.id} className="row apart">
                  <span className="strong">{peer.name}</span>
                  <PeerTag value={peer.state} />
                </li>
              ))}
            </ul>
          )
        }
      </Loaded>
    </Panel>
  );
}
