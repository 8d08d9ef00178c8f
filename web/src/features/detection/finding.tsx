import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { reads } from '@/api/queries';
import type { FindingDetail } from '@/api/types';
import { bytes, count, times } from '@/parts/format';
import { Empty, Failed, Ghost, PageView, Panel } from '@/parts/page';
import { PlainTag, SeverityTag } from '@/parts/tags';
import { Packet, Wall } from '@/parts/time';
import { Digest, Value } from '@/parts/value';
import { t, tn, word } from '@/strings/t';
import { LearnCommands, UnusualCommands } from './commands/unusual';
import { EvidenceTable } from './evidence';
import { Explanation } from './explanation';
import { FeedbackPanel } from './feedback';

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
        <div className="stack wide">
        <Panel title={t('finding.why')} flush>
          <p style={{ padding: '12px 16px' }}>{finding.explanation}</p>
          <UnusualCommands finding={finding} />
          <Explanation finding={finding} />
          <EvidenceTable finding={finding} />
        </Panel>
        <Counted finding={finding} />
        <Packets finding={finding} />
        </div>
        <div className="stack wide">
        <FeedbackPanel finding={finding} />
        <LearnCommands finding={finding} />
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
            {finding.group && (<><dt>{t('finding.group')}</dt><dd><Link to="/findings" search={{ device: finding.device, view: 'groups' }}>{t('finding.group_see')}</Link></dd></>)}
          </dl>
        </Panel>
        </div>
      </div>
    </PageView>
  );
}

/** What no model judges and still tells what went on: names asked, messages, pauses, the minute. */
function Counted({ finding }: { finding: FindingDetail }) {
  if (finding.counts.length === 0) return null;
  return (
    <Panel title={t('finding.counted')} flush>
      <table className="data">
        <caption className="hidden-text">{t('finding.counted')}</caption>
        <tbody>
          {finding.counts.map((one) => (
            <tr key={one.metric}><td>{one.meaning}</td><td className="num">{count(one.value)}</td></tr>
          ))}
        </tbody>
      </table>
      <p className="small soft" style={{ padding: '8px 16px' }}>{t('finding.counted_note')}</p>
    </Panel>
  );
}

/** The packets kept with the finding, or that there are none. */
function Packets({ finding }: { finding: FindingDetail }) {
  const { capture } = finding;
  return (
    <Panel title={t('finding.packets')} end={capture && <a className="button plain-look small-look" href={`/api/v1/findings/${finding.id}/capture`} download>{t('finding.download')}</a>}>
      {capture === null ? <Empty title={t('finding.no_packets')}>{t('finding.no_packets_why')}</Empty> : (
        <dl className="facts">
          <dt>{t('finding.packets_kept')}</dt><dd className="num">{count(capture.packets)} · {bytes(capture.size_bytes)}</dd>
          <dt>{t('finding.packets_from')}</dt><dd><Packet at={capture.from} /></dd>
          <dt>{t('finding.packets_to')}</dt><dd><Packet at={capture.to} /></dd>
          <dt>{t('finding.packets_source')}</dt><dd>{capture.source}</dd>
          <dt>SHA-256</dt><dd><Digest value={capture.file} /></dd>
        </dl>
      )}
    </Panel>
  );
}
