// What is known of a device, by whom and since when; and why it is taken for what it is taken for.
import { useQuery } from '@tanstack/react-query';
import { reads } from '@/api/queries';
import type { DeviceEvidence } from '@/api/types';
import { percent } from '@/parts/format';
import { Empty, Ghost, Loaded, Panel } from '@/parts/page';
import { sentence } from '@/parts/sentence';
import { PlainTag } from '@/parts/tags';
import { Packet } from '@/parts/time';
import { Value } from '@/parts/value';
import { t, tn } from '@/strings/pages';
import { sorted, sureness } from './kinds';

type Known = DeviceEvidence['known'][number];
type FactLine = Known['facts'][number];

export function Inventory({ device }: { device: string }) {
  const evidence = useQuery(reads.deviceEvidence(device));
  return (
    <>
      <Panel title={t('inventory.why')}>
        <Loaded query={evidence} ghost={<Ghost rows={3} />}>
          {({ known }) => known.length === 0 ? <Empty title={t('inventory.no_kind')}>{t('inventory.no_kind_why')}</Empty> : <div className="stack wide">{known.map((one) => <Guess key={one.sensor} known={one} />)}</div>}
        </Loaded>
      </Panel>
      <Panel title={t('inventory.facts')} flush>
        <Loaded query={evidence} ghost={<Ghost rows={5} />}>
          {({ known }) => {
            const facts = known.flatMap((one) => one.facts.map((fact) => ({ ...fact, sensor: one.sensor })));
            if (facts.length === 0) return <Empty title={t('inventory.no_facts')}>{t('inventory.no_facts_why')}</Empty>;
            const { names, services, asked, hints } = sorted(facts);
            const beyond = known.reduce((sum, one) => sum + one.beyond, 0);
            return (
              <>
                <Facts groups={[[t('inventory.names'), names], [t('inventory.services'), services], [t('inventory.asked'), asked], [t('inventory.hints'), hints]]} />
                {beyond > 0 && <p className="small quiet" style={{ padding: '8px 16px' }}>{tn('inventory.beyond', beyond)}</p>}
              </>
            );
          }}
        </Loaded>
      </Panel>
      <Panel title={t('inventory.identity')} flush>
        <Loaded query={evidence} ghost={<Ghost rows={3} />}>
          {({ identity }) => identity.length === 0 ? <Empty title={t('inventory.no_identity')}>{t('inventory.no_identity_why')}</Empty> : <Identity rows={identity} />}
        </Loaded>
      </Panel>
    </>
  );
}

function Guess({ known }: { known: Known }) {
  return (
    <div className="stack tight">
      <div className="row apart">
        <span className="strong">{sentence(known.kind)}</span>
        {known.confidence > 0 && <PlainTag tone="accent" shape="half">{sureness(known.confidence)}</PlainTag>}
      </div>
      <p className="small quiet">{t('inventory.guess', { sensor: known.sensor })}</p>
      {known.reasons.length === 0 ? <p className="small soft">{t('inventory.no_reasons')}</p> : (
        <ul className="stack tight">
          {known.reasons.map((reason) => (
            <li key={reason.text} className="row nowrap">
              <span className="meter" style={{ width: 56, flex: 'none' }} aria-hidden="true"><span style={{ width: `${Math.min(1, Math.max(0, reason.weight)) * 100}%` }} /></span>
              <span className="num small quiet" style={{ minWidth: 40 }}><span className="hidden-text">{t('inventory.weight')} </span>{percent(reason.weight)}</span>
              <span>{sentence(reason.text)}</span>
            </li>
          ))}
        </ul>
      )}
      {(known.maker || known.mac_is_private) && (
        <p className="small soft">{known.mac_is_private ? t('inventory.private_mac') : t('inventory.maker', { maker: known.maker ?? '' })}</p>
      )}
    </div>
  );
}

/** One table, so that the columns of all groups stand in line. */
function Facts({ groups }: { groups: [string, (FactLine & { sensor: string })[]][] }) {
  return (
    <div className="scroll">
      <table className="data">
        <caption className="hidden-text">{t('inventory.facts')}</caption>
        <thead>
          <tr>
            <th scope="col">{t('inventory.col.what')}</th>
            <th scope="col">{t('inventory.col.value')}</th>
            <th scope="col">{t('inventory.col.first_last')}</th>
          </tr>
        </thead>
        {groups.filter(([, facts]) => facts.length > 0).map(([title, facts]) => (
          <tbody key={title}>
            <tr><th scope="rowgroup" colSpan={3} style={{ paddingTop: 14, fontWeight: 600, color: 'var(--text)' }}>{title}</th></tr>
            {facts.map((fact) => (
              <tr key={`${fact.sensor}${fact.what}${fact.value}`}>
                <td>{sentence(fact.what)}</td>
                <td style={{ overflowWrap: 'anywhere' }}><Value kind="text" value={fact.value}><bdi className="mono">{fact.value}</bdi></Value></td>
                <td className="nowrap"><Packet at={fact.first_seen} /><br /><Packet at={fact.last_seen} /></td>
              </tr>
            ))}
          </tbody>
        ))}
      </table>
    </div>
  );
}

function Identity({ rows }: { rows: DeviceEvidence['identity'] }) {
  return (
    <div className="scroll">
      <table className="data">
        <caption className="hidden-text">{t('inventory.identity')}</caption>
        <thead>
          <tr>
            <th scope="col">{t('inventory.col.value')}</th>
            <th scope="col">{t('inventory.col.kind')}</th>
            <th scope="col">{t('inventory.col.from')}</th>
            <th scope="col">{t('inventory.col.to')}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={`${row.sensor}${row.kind}${row.value}${row.valid_from}`}>
              <td className="nowrap">{row.kind === 'mac' || row.kind === 'ip' ? <Value kind={row.kind === 'mac' ? 'mac' : 'address'} value={row.value} /> : row.value}</td>
              <td>{t(row.kind === 'mac' ? 'inventory.kind.mac' : row.kind === 'ip' ? 'inventory.kind.ip' : 'inventory.kind.name')} <div className="small quiet">{t('inventory.seen_by', { sensor: row.sensor })}</div></td>
              <td><Packet at={row.valid_from} /></td>
              <td>{row.valid_to ? <Packet at={row.valid_to} /> : <PlainTag tone="good" shape="dot">{t('inventory.holds')}</PlainTag>}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

