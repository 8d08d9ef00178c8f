import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { lazy, Suspense, useState } from 'react';
import { reads } from '@/api/queries';
import type { Bundle, ShareDetail } from '@/api/types';
import { download } from '@/parts/chart/save';
import { Banner, Empty, Failed, Ghost, PageView, Panel } from '@/parts/page';
import { Segments } from '@/parts/segments';
import { sentence } from '@/parts/sentence';
import { ShareTag, TlpTag, YesNo } from '@/parts/tags';
import { Wall } from '@/parts/time';
import { Digest } from '@/parts/value';
import { t, tn } from '@/strings/pages';
import { BundleTable } from './bundle-table';
import './cti.css';
import { Button } from '@/parts/button';

const BundleGraph = lazy(() => import('./bundle-graph'));
type Form = 'graph' | 'table' | 'json';

export function SharePage() {
  const { id } = useParams({ strict: false }) as { id: string };
  const read = useQuery(reads.share(id));
  const crumb = { to: '/shares', text: t('nav.sharing') };
  const share = read.data;
  if (!share) {
    return (
      <PageView title={t('share.one')} crumb={crumb}>
        <section className="panel">{read.isError ? <div style={{ padding: 12 }}><Failed error={read.error} retry={read.refetch} /></div> : <Ghost rows={8} />}</section>
      </PageView>
    );
  }
  return (
    <PageView title={t(`share.title.${share.state}`, { name: share.peer_name })} crumb={crumb} lead={<span className="row"><ShareTag value={share.state} /><TlpTag value={share.tlp} /></span>}>
      <div className="cols">
        <div className="stack wide">
          {share.answer && (
            <Banner tone="good" icon="check">
              <b>{t('share.answer_by', { by: share.answer.by })}</b> “{share.answer.text}” <span className="quiet small"><Wall at={share.answer.at} relative /></span>
            </Banner>
          )}
          {share.last_error && share.state === 'queued' && <Banner tone="medium" icon="clock"><b>{tn('share.waiting', share.attempts)}</b> {share.last_error}</Banner>}
          {share.bundle ? <BundlePanel bundle={share.bundle} /> : <section className="panel"><Empty title={t('share.no_bundle')}>{t('share.no_bundle_why')}</Empty></section>}
        </div>
        <div className="stack wide">
          <Decision share={share} />
          <Receipt share={share} />
          <History share={share} />
        </div>
      </div>
    </PageView>
  );
}

function BundlePanel({ bundle }: { bundle: Bundle }) {
  const [form, setForm] = useState<Form>('graph');
  const [chosen, setChosen] = useState<string | null>(null);
  const text = JSON.stringify(bundle, null, 2);
  return (
    <Panel
      flush
      title={tn('share.bundle', bundle.objects.length)}
      end={
        <>
          <Segments<Form> label={t('share.form')} value={form} onChange={setForm} options={[['graph', t('share.graph')], ['table', t('share.table')], ['json', t('share.json')]]} />
          <Button small plain onClick={() => download(`${bundle.id}.json`, new Blob([text], { type: 'application/stix+json' }))}>{t('share.download')}</Button>
        </>
      }
    >
      {form === 'graph' && (
        <Suspense fallback={<div className="bundle-graph"><Ghost rows={6} height={40} /></div>}>
          <BundleGraph bundle={bundle} chosen={chosen} onChoose={setChosen} />
        </Suspense>
      )}
      {form === 'table' && <BundleTable bundle={bundle} chosen={chosen} onChoose={setChosen} />}
      {form === 'json' && <pre className="code bare" tabIndex={0} aria-label={t('share.json')}>{text}</pre>}
    </Panel>
  );
}

function Decision({ share }: { share: ShareDetail }) {
  return (
    <Panel title={t('share.decision')} end={<YesNo yes={share.decision.allowed} word={t(share.decision.allowed ? 'share.allowed' : 'share.denied')} />}>
      <div className="stack">
        <p>{sentence(share.decision.reason)}</p>
        <dl className="facts">
          <dt>{t('share.policies')}</dt><dd className="mono wrap">{share.decision.policies.join(', ') || t('share.no_policy')}</dd>
          <dt>{t('incident.one')}</dt><dd><Link to="/incidents/$id" params={{ id: share.incident }}>{t('run.open_incident')}</Link></dd>
          <dt>{t('share.travels')}</dt><dd>{tn('share.objects', share.objects)}</dd>
          <dt>{t('share.hidden')}</dt><dd>{tn('share.pseudonymised', share.pseudonymised)}</dd>
          <dt>{t('shares.col.decided')}</dt><dd><Wall at={share.decided_at} /></dd>
        </dl>
      </div>
    </Panel>
  );
}

function Receipt({ share }: { share: ShareDetail }) {
  const { receipt } = share;
  return (
    <Panel title={t('share.receipt')} end={receipt && <YesNo yes={receipt.verified} word={t(receipt.verified ? 'share.verified' : 'share.not_verified')} />}>
      {receipt ? (
        <dl className="facts">
          <dt>{t('share.delivered')}</dt><dd>{share.delivered_at ? <Wall at={share.delivered_at} /> : '–'}</dd>
          <dt>{t('share.signed')}</dt><dd><Wall at={receipt.signed_at} /></dd>
          <dt>{t('share.digest')}</dt><dd><Digest value={receipt.digest} /></dd>
          <dt>{t('share.key')}</dt><dd><Digest value={receipt.key} /></dd>
        </dl>
      ) : (
        <p className="quiet small">{t('share.no_receipt')}</p>
      )}
    </Panel>
  );
}

function History({ share }: { share: ShareDetail }) {
  return (
    <Panel title={t('share.history')}>
      <ol className="stack tight">
        {share.history.map((line, index) => (
          <li key={`${line.at}${index}`} className="history"><span className="small quiet num"><Wall at={line.at} /></span><span>{line.text}</span></li>
        ))}
      </ol>
    </Panel>
  );
}
