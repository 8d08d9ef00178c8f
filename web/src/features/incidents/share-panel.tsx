import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { post } from '@/api/client';
import { reads } from '@/api/queries';
import type { Incident, Share, SharePreview } from '@/api/types';
import { useMay } from '@/app/session';
import { useAct } from '@/parts/act';
import { Failed, Ghost, Loaded, Panel } from '@/parts/page';
import { sentence } from '@/parts/sentence';
import { ShareTag, YesNo } from '@/parts/tags';
import { t, tn } from '@/strings/t';
import { Button } from '@/parts/button';

/** Who knows of this incident, who may know, and why. */
export function SharePanel({ incident }: { incident: Incident }) {
  const shares = useQuery(reads.shares(incident.id));
  const may = useMay('cti.share');
  const own = incident.received_share === null;
  const preview = useQuery({ ...reads.sharePreview(incident.id), enabled: own && may });
  const sent = new Set(shares.data?.items.map((share) => share.peer));
  return (
    <Panel title={t('incident.shares')}>
      <div className="stack">
        {!own && <p className="small soft">{t('incident.received_from', { name: incident.origin_name })}</p>}
        <Loaded query={shares} ghost={<Ghost rows={2} />}>
          {({ items }) => (
            <>
              {items.length === 0 && own && <p className="small quiet">{t('incident.shares_none')}</p>}
              {items.map((share) => <Sent key={share.id} share={share} />)}
            </>
          )}
        </Loaded>
        {preview.data?.filter((one) => !sent.has(one.peer)).map((one) => <Offer key={one.peer} incident={incident} offer={one} />)}
      </div>
    </Panel>
  );
}

function Sent({ share }: { share: Share }) {
  return (
    <div>
      <div className="row apart">
        <Link to="/shares/$id" params={{ id: share.id }} data-row className="strong">{share.peer_name}</Link>
        <ShareTag value={share.state} />
      </div>
      <p className="small soft">{share.answer ? t('share.answered', { by: share.answer.by, text: share.answer.text }) : sentence(share.decision.reason)}</p>
    </div>
  );
}

function Offer({ incident, offer }: { incident: Incident; offer: SharePreview }) {
  const act = useAct(() => post(`/incidents/${incident.id}/shares`, { peer: offer.peer }), ['shares', 'incidents']);
  return (
    <div className="stack tight">
      <div className="row apart">
        <span className="strong">{offer.peer_name}</span>
        <YesNo yes={offer.decision.allowed} word={t(offer.decision.allowed ? 'share.may' : 'share.may_not')} />
      </div>
      <p className="small soft">{sentence(offer.decision.reason)}</p>
      {offer.decision.allowed && (
        <div className="row">
          <Button small busy={act.isPending} onClick={() => act.mutate()}>{t('share.send', { name: offer.peer_name })}</Button>
          <span className="small quiet">{tn('share.objects', offer.objects)}, {tn('share.pseudonymised', offer.pseudonymised)}{offer.left_out > 0 && `, ${tn('share.left_out', offer.left_out)}`}</span>
        </div>
      )}
      {act.isError && <Failed error={act.error} />}
    </div>
  );
}
