import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { reads } from '@/api/queries';
import type { RecoveryOrder, RecoveryReport } from '@/api/types';
import { Button } from '@/parts/button';
import { bytes, percent } from '@/parts/format';
import { Banner, Empty, Loaded, Panel } from '@/parts/page';
import { sentence } from '@/parts/sentence';
import { DataTable, type Column } from '@/parts/table';
import { PlainTag } from '@/parts/tags';
import { Wall } from '@/parts/time';
import { t, word } from '@/strings/pages';
import { seconds } from './words';
import './recovery.css';

const LOOKS = { waiting: ['medium', 'dots'], working: ['accent', 'half'], done: ['good', 'check'], failed: ['critical', 'cross'] } as const;

/** What agents were told, and the report of the one that is opened. */
export function RecoveryOrders({ open, onOpen }: { open: string | undefined; onOpen: (key: string | undefined) => void }) {
  const orders = useQuery(reads.recoveryOrders());
  const columns: Column<RecoveryOrder>[] = [
    { id: 'verb', head: t('recovery.col.order'), cell: (row) => <><b>{word('recovery.verb', row.verb)}</b><span className="small quiet" style={{ display: 'block' }}>{row.service}</span></>, sort: (row) => row.verb },
    { id: 'state', head: t('recovery.col.state'), cell: (row) => <PlainTag tone={LOOKS[row.state][0]} shape={LOOKS[row.state][1]}>{word('recovery.state', row.state)}</PlainTag>, sort: (row) => row.state },
    { id: 'detail', head: t('recovery.col.detail'), cell: (row) => sentence(row.detail) },
    { id: 'by', head: t('recovery.col.by'), cell: (row) => <>{row.requested_by}<span className="small quiet" style={{ display: 'block' }}><Wall at={row.asked_at} relative /></span></>, sort: (row) => row.asked_at },
    { id: 'acts', head: '', cell: (row) => <Button small plain aria-expanded={row.key === open} onClick={() => onOpen(row.key === open ? undefined : row.key)} aria-label={`${t('recovery.report')}: ${word('recovery.verb', row.verb)} ${row.service} ${row.key}`}>{t('recovery.report')}</Button> },
  ];
  return (
    <Panel title={t('recovery.orders')} flush>
      <Loaded query={orders}>
        {(list) => {
          const one = list.find((order) => order.key === open);
          return list.length === 0 ? <Empty title={t('recovery.orders_none')}>{t('recovery.orders_none_why')}</Empty> : (
            <>
              <DataTable rows={list} columns={columns} caption={t('recovery.orders')} rowKey={(row) => row.key} />
              {one && <Opened order={one} />}
            </>
          );
        }}
      </Loaded>
    </Panel>
  );
}

function Opened({ order }: { order: RecoveryOrder }) {
  return (
    <section className="report" aria-label={t('recovery.report_of', { verb: word('recovery.verb', order.verb), service: order.service })}>
      <div className="row apart"><h3>{t('recovery.report_of', { verb: word('recovery.verb', order.verb), service: order.service })}</h3><code className="small quiet wrap">{order.key}</code></div>
      {order.incident && <p className="small"><Link to="/incidents/$id" params={{ id: order.incident }}>{t('recovery.to_incident')}</Link></p>}
      {order.offers.length > 0 && <Banner tone="medium" icon="info">{t('recovery.offers')}<ul className="small soft">{order.offers.map((offer) => <li key={offer}>{sentence(offer)}</li>)}</ul></Banner>}
      {order.report ? <Report report={order.report} /> : <p className="small soft">{order.ended_at ? sentence(order.detail) : t('recovery.report_later')}</p>}
    </section>
  );
}

/** What it cost, what the risk is, and what both rest on. */
function Report({ report }: { report: RecoveryReport }) {
  return (
    <>
      <p>{sentence(report.summary)}</p>
      {report.chance_infected !== null && report.chance_infected > 0.5 && <Banner tone="medium" icon="info">{t('recovery.chance_high')}</Banner>}
      <dl className="facts">
        <dt>{t('recovery.started_from')}</dt><dd>{sentence(report.started_from)}</dd>
        {report.evidence_at && <><dt>{t('recovery.evidence_at')}</dt><dd><Wall at={report.evidence_at} />{report.margin_s !== null && <span className="quiet"> {t('recovery.less', { time: seconds(report.margin_s) })}</span>}</dd></>}
        <dt>{t('recovery.downtime')}</dt><dd>{seconds(report.downtime_s)}</dd>
        <dt>{t('recovery.lost')}</dt><dd>{t('recovery.lost_text', { time: seconds(report.lost_s) })}{report.lost_bytes !== null && ` · ${bytes(report.lost_bytes)}`}</dd>
        <dt>{t('recovery.chance')}</dt><dd>{report.chance_infected === null ? t('recovery.chance_none') : <b>{percent(report.chance_infected)}</b>}{report.model && <span className="small soft" style={{ display: 'block' }}>{sentence(report.model)}</span>}</dd>
        <dt>{t('recovery.counter_short')}</dt><dd>{sentence(report.counter)}</dd>
      </dl>
    </>
  );
}
