import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { reads } from '@/api/queries';
import { times } from '@/parts/format';
import { Failed, Ghost, PageView, Panel } from '@/parts/page';
import { PlainTag, SeverityTag } from '@/parts/tags';
import { Packet, Wall } from '@/parts/time';
import { Digest, Value } from '@/parts/value';
import { t, tn, word } from '@/strings/t';
import { EvidenceTable } from './evidence';
import { Explanation } from './explanation';

export function FindingPage() {
  const { id } = useParams({ strict: false }) as { id: string };
  const read = useQuery(reads.finding(id));
  const crumb = { to: '/findings', text: t('nav.findings') };
  const finding = read.data;
  if (!finding) {
    return (
      <PageView title={t('finding.one')} crumb={crumb}>
        <section className="panel">{read.isError ? <div style={{ padding: 12 }}><Failed error={read.error} retry={read.refetch} /></div> : <Ghost rows={8} />}</section>
      </PageView>
    );
  }
  return (
    <PageView
      title={finding.title}
      crumb={crumb}
      lead={
        <span className="row">
          <SeverityTag value={finding.severity} />
          <PlainTag tone="accent" shape="dot">{word('finding.kind', finding.kind)}</PlainTag>
          {t('finding.lead', { score: times(finding.score), windows: tn('count.windows', finding.windows) })}
        </span>
      }
    >
      <div className="cols">
        <Panel title={t('finding.why')} flush>
          <Explanation finding={finding} />
          <EvidenceTable finding={finding} />
        </Panel>
        <Panel title={t('finding.about')}>
          <dl className="facts">
            <dt>{t('finding.device')}</dt><dd><Link to="/devices/$id" params={{ id: finding.device }}>{finding.device_name}</Link></dd>
            <dt>{t('finding.address')}</dt><dd><Value kind="address" value={finding.device_address} /></dd>
            {finding.device_mac && (<><dt>{t('finding.mac')}</dt><dd><Value kind="mac" value={finding.device_mac} /></dd></>)}
            <dt>{t('finding.first')}</dt><dd><Packet at={finding.first_at} /></dd>
            <dt>{t('finding.last')}</dt><dd><Packet at={finding.last_at} /></dd>
            <dt>{t('finding.known')}</dt><dd><Wall at={finding.recorded_at} /></dd>
            <dt>{t('finding.detector')}</dt><dd className="mono">{finding.detector}</dd>
            <dt>{t('finding.model')}</dt><dd><Digest value={finding.model} /></dd>
          </dl>
        </Panel>
      </div>
    </PageView>
  );
}
