// The unusual commands of a finding, one by one, and making them normal for good.
import { NativeSelect, Textarea } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { post } from '@/api/client';
import { reads } from '@/api/queries';
import type { FindingDetail, UnusualCommand } from '@/api/types';
import { useMay } from '@/app/session';
import { useAct } from '@/parts/act';
import { Button } from '@/parts/button';
import { count } from '@/parts/format';
import { Failed, Panel } from '@/parts/page';
import { PlainTag } from '@/parts/tags';
import { Packet } from '@/parts/time';
import { Value } from '@/parts/value';
import { t, tn, word } from '@/strings/pages';

export function UnusualCommands({ finding }: { finding: FindingDetail }) {
  if (finding.commands.length === 0) return null;
  return (
    <div className="scroll rule">
      <table className="data">
        <caption className="table-name">{t('unusual.title')}</caption>
        <thead>
          <tr>
            <th scope="col">{t('unusual.when')}</th>
            <th scope="col">{t('unusual.command')}</th>
            <th scope="col">{t('unusual.who')}</th>
            <th scope="col">{t('unusual.why')}</th>
          </tr>
        </thead>
        <tbody>{finding.commands.map((one, index) => <Row key={`${one.first_at}${index}`} one={one} />)}</tbody>
      </table>
      {finding.commands_beyond > 0 && <p className="small soft" style={{ padding: '8px 16px' }}>{tn('unusual.beyond', finding.commands_beyond)}</p>}
    </div>
  );
}

function Row({ one }: { one: UnusualCommand }) {
  const alerts = one.score > 1;
  return (
    <tr>
      <td className="nowrap"><Packet at={one.first_at} />{one.count > 1 && <div className="small quiet">{t('unusual.times', { n: count(one.count) })}</div>}</td>
      <td>
        <div className="strong">{one.name} <span className="small quiet mono">{one.protocol} {one.function}</span></div>
        {one.object && <div className="mono small">{one.object}</div>}
        {one.value !== null && <div className="mono small">{t('unusual.value', { value: one.value })}</div>}
      </td>
      <td><Value kind="address" value={one.from} /> → <Value kind="address" value={one.to} />{one.unit > 0 && <div className="small quiet">{t('unusual.unit', { n: one.unit })}</div>}</td>
      <td>
        <PlainTag tone={alerts ? 'high' : 'low'} shape={alerts ? 'triangle' : 'bar'}>{word('unusual.kind', one.kind)}</PlainTag>{!alerts && <span className="small quiet"> {t('unusual.informs')}</span>}
        <div>{one.why}</div>
        {one.expected && <div className="small quiet">{t('unusual.expected', { text: one.expected })}</div>}
        {one.technique && <Value kind="technique" value={one.technique}><code className="small">{one.technique}</code></Value>}
      </td>
    </tr>
  );
}

export function LearnCommands({ finding }: { finding: FindingDetail }) {
  const may = useMay('detection.models');
  const machines = useQuery({ ...reads.machines(), enabled: may && finding.commands.length > 0 });
  const edges = (machines.data ?? []).filter((one) => one.version > 0).map((one) => one.edge);
  const [chosen, setChosen] = useState('');
  const [reason, setReason] = useState('');
  const edge = chosen || edges[0] || '';
  const act = useAct(() => post<{ version: number }>(`/detection/commands/${encodeURIComponent(edge)}/learn`, { finding: finding.id, reason: reason.trim() }), ['detection', 'findings', 'ledger'], () => setReason(''));
  if (!may || finding.commands.length === 0 || edges.length === 0) return null;
  return (
    <Panel title={t('unusual.learn')}>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          act.mutate();
        }}
      >
        {edges.length > 1 && <NativeSelect label={t('unusual.edge')} value={edge} data={edges} onChange={(event) => setChosen(event.currentTarget.value)} />}
        <p className="small soft">{t('unusual.learn_note', { edge })}</p>
        <Textarea required autosize minRows={2} maxLength={500} label={t('versions.reason')} value={reason} onChange={(event) => setReason(event.currentTarget.value)} />
        <div><Button plain type="submit" busy={act.isPending} disabled={reason.trim() === ''}>{t('unusual.learn')}</Button></div>
        {act.data && <p role="status" className="small soft">{t('unusual.learned', { n: act.data.version })} <Link to="/commands/$edge" params={{ edge }}>{t('nav.commands')}</Link></p>}
        {act.isError && <Failed error={act.error} />}
      </form>
    </Panel>
  );
}
