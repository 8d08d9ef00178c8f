import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { reads } from '@/api/queries';
import type { IncidentDetail } from '@/api/types';
import { Explanation } from '@/features/detection/explanation';
import { EvidenceTable } from '@/features/detection/evidence';
import { Empty, Failed, Ghost, Loaded, PageView, Panel } from '@/parts/page';
import { sentence } from '@/parts/sentence';
import { IncidentTag, PlainTag, RunTag, SeverityTag, TlpTag } from '@/parts/tags';
import { Packet, Wall } from '@/parts/time';
import { t, tn } from '@/strings/t';
import { Acknowledge } from './acknowledge';
import { AddNote, ChangeState } from './change';
import './incident.css';
import { Responses } from './responses';
import { Milestones } from './milestones';
import { SharePanel } from './share-panel';
import { Timeline } from './timeline';
import { howSure, whatToDo } from './words';

export function IncidentPage() {
  const { id } = useParams({ strict: false }) as { id: string };
  const read = useQuery(reads.incident(id));
  const crumb = { to: '/incidents', text: t('nav.incidents') };
  if (!read.data) {
    return (
      <PageView title={t('incident.one')} crumb={crumb}>
        <section className="panel">{read.isError ? <div style={{ padding: 12 }}><Failed error={read.error} retry={read.refetch} /></div> : <Ghost rows={8} />}</section>
      </PageView>
    );
  }
  return <Body detail={read.data} />;
}

function Body({ detail }: { detail: IncidentDetail }) {
  const { incident, findings, timeline } = detail;
  return (
    <PageView
      title={incident.title}
      crumb={{ to: '/incidents', text: t('nav.incidents') }}
      lead={
        <span className="row">
          <SeverityTag value={incident.severity} />
          <IncidentTag value={incident.state} />
          <TlpTag value={incident.tlp} />
          {incident.acknowledged_by && <PlainTag tone="good" shape="check">{t('cert.by', { name: incident.acknowledged_by })}</PlainTag>}
        </span>
      }
    >
      <div className="cols">
        <div className="stack wide">
          <Answer detail={detail} />
          <Responses incident={incident.id} />
          {findings.map((finding) => (
            <Panel
              key={finding.id}
              flush
              title={<Link to="/findings/$id" params={{ id: finding.id }} data-row>{finding.title}</Link>}
              end={<span className="small quiet">{tn('count.windows', finding.windows)} · <Packet at={finding.first_at} short /> – <Packet at={finding.last_at} short /></span>}
            >
              <Explanation finding={finding} />
              <EvidenceTable finding={finding} />
            </Panel>
          ))}
          {findings.length === 0 && <section className="panel"><Empty title={t('incident.no_findings')}>{t('incident.no_findings_why')}</Empty></section>}
          <Panel title={t('incident.timeline')} flush><Timeline items={timeline} /></Panel>
        </div>
        <div className="stack wide">
          <Decide detail={detail} />
          <Milestones moments={detail.milestones} />
          <Runs incident={incident.id} />
          <SharePanel incident={incident} />
        </div>
      </div>
    </PageView>
  );
}

/** What is happening, how sure are we, what should I do. */
function Answer({ detail }: { detail: IncidentDetail }) {
  const { incident, findings } = detail;
  const first = findings[0];
  return (
    <section className="panel">
      <dl className="answers">
        <div>
          <dt>{t('incident.what')}</dt>
          <dd>
            {first ? t('incident.what_text', { device: first.device_name, address: first.device_address }) : t('incident.what_none')}{' '}
            {t('incident.since')} <Packet at={incident.event_at} />.
          </dd>
        </div>
        <div>
          <dt>{t('incident.how_sure')}</dt>
          <dd>{howSure(findings)}</dd>
        </div>
        <div>
          <dt>{t('incident.what_to_do')}</dt>
          <dd>{whatToDo(detail)}</dd>
        </div>
      </dl>
    </section>
  );
}

function Decide({ detail }: { detail: IncidentDetail }) {
  const { incident } = detail;
  return (
    <Panel title={t('incident.decide')}>
      <div className="stack">
        <dl className="facts">
          <dt>{t('incident.origin')}</dt><dd>{incident.origin_name}</dd>
          <dt>{t('incident.known')}</dt><dd><Wall at={incident.recorded_at} /></dd>
          <dt>{t('incident.changed')}</dt><dd><Wall at={incident.updated_at} relative /></dd>
        </dl>
        {incident.acknowledged_by === null && <Acknowledge incident={incident} />}
        <ChangeState incident={incident} allowed={detail.allowed_states} />
        <AddNote incident={incident} />
      </div>
    </Panel>
  );
}

function Runs({ incident }: { incident: string }) {
  const runs = useQuery(reads.runs(incident));
  return (
    <Panel title={t('incident.runs')}>
      <Loaded query={runs} ghost={<Ghost rows={1} />}>
        {({ items }) =>
          items.length === 0 ? <p className="small quiet">{t('incident.runs_none')}</p> : (
            <ul className="stack tight">
              {items.map((run) => (
                <li key={run.id}>
                  <div className="row apart"><Link to="/runs/$id" params={{ id: run.id }} data-row className="strong">{run.name}</Link><RunTag value={run.state} /></div>
                  <p className="small soft">{sentence(run.trigger)}</p>
                </li>
              ))}
            </ul>
          )
        }
      </Loaded>
    </Panel>
  );
}
