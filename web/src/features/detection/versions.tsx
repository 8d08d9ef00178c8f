// The versions of a device's model: what each learned from, how it did, and going back to one.
import { NativeSelect, Textarea } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { post } from '@/api/client';
import { reads } from '@/api/queries';
import type { Comparison, ModelVersion, Watched } from '@/api/types';
import { useMay } from '@/app/session';
import { useAct } from '@/parts/act';
import { Button } from '@/parts/button';
import { count, figure, percent, times } from '@/parts/format';
import { Banner, Empty, Failed, Ghost, Loaded, PageView, Panel } from '@/parts/page';
import { sentence } from '@/parts/sentence';
import { PlainTag, WatchTag, type Tone } from '@/parts/tags';
import type { Shape } from '@/parts/icon';
import { Packet, Wall } from '@/parts/time';
import { Digest } from '@/parts/value';
import { t, tn, word } from '@/strings/pages';
import './detection.css';

const LOOKS: Record<ModelVersion['state'], readonly [Tone, Shape]> = {
  active: ['good', 'check'], candidate: ['accent', 'half'], retired: ['low', 'bar'], refused: ['critical', 'cross'],
};
const MAX_REASON = 500;
const ROOTS = ['detection', 'ledger'];

export function VersionsPage() {
  const { id } = useParams({ strict: false }) as { id: string };
  const watched = useQuery(reads.watched());
  const models = useQuery(reads.models(id));
  const watch = watched.data?.find((one) => one.device === id);
  return (
    <PageView
      title={watch ? t('versions.title', { name: watch.name, state: word('watch.sentence', watch.state.state) }) : t('versions.one')}
      crumb={{ to: '/models', text: t('nav.models') }}
      lead={watch && sentence(watch.protection)}
    >
      <div className="stack wide">
        <Panel title={t('versions.list')} flush>
          <Loaded query={models}>
            {({ items }) => items.length === 0 ? <Empty title={t('versions.empty')}>{t('versions.empty_why')}</Empty> : <Versions device={id} items={items} />}
          </Loaded>
        </Panel>
        <div className="cols">
          {models.data && models.data.items.length > 1 ? <Compare device={id} items={models.data.items} /> : <Panel title={t('compare.title')}><Empty title={t('compare.one')}>{t('compare.one_why')}</Empty></Panel>}
          {watch ? <Learned watch={watch} /> : watched.isPending && <Ghost />}
        </div>
      </div>
    </PageView>
  );
}

function Versions({ device, items }: { device: string; items: ModelVersion[] }) {
  const may = useMay('detection.models');
  const [chosen, setChosen] = useState<ModelVersion | null>(null);
  return (
    <>
      <div className="scroll">
        <table className="data">
          <caption className="hidden-text">{t('versions.list')}</caption>
          <thead>
            <tr>
              <th scope="col" className="right">{t('models.col.version')}</th>
              <th scope="col">{t('versions.col.state')}</th>
              <th scope="col">{t('versions.col.data')}</th>
              <th scope="col" className="right">{t('versions.col.held_out')}</th>
              <th scope="col" className="right">{t('versions.col.in_use')}</th>
              <th scope="col">{t('versions.col.signature')}</th>
              <th scope="col"><span className="hidden-text">{t('table.actions')}</span></th>
            </tr>
          </thead>
          <tbody>
            {items.map((one) => (
              <tr key={one.version}>
                <td className="right strong">{one.version}</td>
                <td>
                  <PlainTag tone={LOOKS[one.state][0]} shape={LOOKS[one.state][1]}>{word('versions.state', one.state)}</PlainTag>
                  <div className="small quiet">{sentence(one.reason)}</div>
                  <div className="small quiet">{t('versions.made')} <Wall at={one.made_at} /></div>
                </td>
                <td>
                  <div><Packet at={one.trained_from} /></div>
                  <div><Packet at={one.trained_to} /></div>
                  <div className="small quiet">{tn('count.windows', one.windows)} · {sentence(one.judges)}</div>
                </td>
                <td className="right">{percent(one.held_out_rate)}<div className="small quiet nowrap">{t('versions.of_budget', { share: percent(one.alpha) })}</div></td>
                <td className="right">{one.alarm_rate === null ? '–' : percent(one.alarm_rate)}<div className="small quiet nowrap">{t('versions.of_windows', { alerting: count(one.windows_alerting), scored: count(one.windows_scored) })}</div></td>
                <td>
                  <PlainTag tone={one.signature_valid ? 'good' : 'critical'} shape={one.signature_valid ? 'check' : 'cross'}>{t(one.signature_valid ? 'versions.signed' : 'versions.unsigned')}</PlainTag>
                  <div className="small"><Digest value={one.file} length={6} /></div>
                </td>
                <td>
                  {may && one.state !== 'active' && one.signature_valid && (
                    <Button plain small aria-expanded={chosen?.version === one.version} onClick={() => setChosen(one)}>{t(one.state === 'candidate' ? 'versions.use' : 'versions.back', { n: one.version })}</Button>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {chosen && <Back device={device} version={chosen} active={items.find((one) => one.state === 'active')} close={() => setChosen(null)} />}
    </>
  );
}

/** Going back is a decision with a reason; the page says beforehand what it brings with it. */
function Back({ device, version, active, close }: { device: string; version: ModelVersion; active: ModelVersion | undefined; close: () => void }) {
  const [reason, setReason] = useState('');
  const act = useAct(() => post(`/detection/devices/${device}/models/${version.version}/activate`, { reason: reason.trim() }), ROOTS, close);
  return (
    <form
      className="stack rule"
      style={{ padding: 16 }}
      aria-label={t('versions.confirm', { n: version.version })}
      onSubmit={(event) => {
        event.preventDefault();
        act.mutate();
      }}
    >
      <h3 className="strong">{t('versions.confirm', { n: version.version })}</h3>
      <p className="soft">{active ? t('versions.instead', { n: active.version }) : t('versions.instead_none')} {t('versions.brings')}</p>
      <Textarea data-autofocus autoFocus required autosize minRows={2} maxLength={MAX_REASON} label={t('versions.reason')} value={reason} onChange={(event) => setReason(event.currentTarget.value)} />
      <div className="row">
        <Button type="submit" busy={act.isPending} disabled={reason.trim() === ''}>{t('versions.do', { n: version.version })}</Button>
        <Button plain onClick={close}>{t('act.cancel')}</Button>
      </div>
      {act.isError && <Failed error={act.error} />}
    </form>
  );
}

function Compare({ device, items }: { device: string; items: ModelVersion[] }) {
  const search = useSearch({ strict: false }) as { a?: string; b?: string };
  const navigate = useNavigate();
  const a = Number(search.a ?? items[1]?.version);
  const b = Number(search.b ?? items[0]?.version);
  const compared = useQuery(reads.compare(device, a, b));
  const choose = (change: { a?: string; b?: string }) => void navigate({ to: '/models/$id', params: { id: device }, search: { a: String(a), b: String(b), ...change }, replace: true });
  const options = items.map((one) => ({ value: String(one.version), label: t('models.version', { n: one.version }) }));
  return (
    <Panel
      title={t('compare.title')}
      flush
      end={
        <div className="row">
          <NativeSelect size="xs" aria-label={t('compare.first')} value={String(a)} data={options} onChange={(event) => choose({ a: event.currentTarget.value })} />
          <span className="quiet">{t('compare.with')}</span>
          <NativeSelect size="xs" aria-label={t('compare.second')} value={String(b)} data={options} onChange={(event) => choose({ b: event.currentTarget.value })} />
        </div>
      }
    >
      {a === b ? <Empty title={t('compare.same')}>{t('compare.same_why')}</Empty> : <Loaded query={compared}>{(data) => <Compared data={data} />}</Loaded>}
    </Panel>
  );
}

function Compared({ data }: { data: Comparison }) {
  if (data.windows === 0) return <Empty title={t('compare.empty')}>{t('compare.empty_why')}</Empty>;
  const both = [data.a, data.b];
  const rows = [
    ['compare.alerts', both.map((one) => count(one.alerts))], ['compare.found_again', both.map((one) => count(one.alerts_found_again))], ['compare.false_alarms', both.map((one) => count(one.false_alarms))],
    ['compare.mean', both.map((one) => figure(one.mean_score))], ['compare.max', both.map((one) => times(one.max_score))],
  ] as const;
  return (
    <>
      <p className="soft" style={{ padding: '10px 16px' }}>{tn('compare.windows', data.windows)} {tn('compare.disagree', data.disagreements)}</p>
      <div className="scroll">
        <table className="data">
          <caption className="hidden-text">{t('compare.title')}</caption>
          <thead><tr><th scope="col">{t('compare.figure')}</th>{both.map((one) => <th key={one.version} scope="col" className="right">{t('models.version', { n: one.version })}</th>)}</tr></thead>
          <tbody>{rows.map(([key, values]) => <tr key={key}><th scope="row" style={{ fontWeight: 400 }}>{t(key)}</th>{values.map((value, index) => <td key={both[index]?.version} className="right">{value}</td>)}</tr>)}</tbody>
        </table>
      </div>
      {data.examples.length > 0 && (
        <div className="scroll rule" style={{ maxHeight: 260, overflowY: 'auto' }} tabIndex={0} role="region" aria-label={t('compare.examples')}>
          <table className="data">
            <caption className="table-name">{t('compare.examples')}</caption>
            <thead><tr><th scope="col">{t('compare.window')}</th><th scope="col">{t('compare.role')}</th>{both.map((one) => <th key={one.version} scope="col" className="right">{t('models.version', { n: one.version })}</th>)}</tr></thead>
            <tbody>{data.examples.map((one) => <tr key={one.start}><td><Packet at={one.start} /></td><td>{word('compare.role', one.role)}</td><td className="right">{times(one.a)}</td><td className="right">{times(one.b)}</td></tr>)}</tbody>
          </table>
        </div>
      )}
    </>
  );
}

/** What it learns while it watches, and holding that. */
function Learned({ watch }: { watch: Watched }) {
  const { learning } = watch;
  return (
    <Panel title={t('learned.title')} end={<WatchTag value={watch.state.state} />}>
      <div className="stack">
        {'progress' in watch.state && (
          <div className="stack tight">
            <span className="small soft num">{percent(watch.state.progress)}</span>
            <div className="meter" aria-hidden="true"><span style={{ width: `${watch.state.progress * 100}%` }} /></div>
          </div>
        )}
        {learning.held && <Banner tone="medium" icon="pause">{t('learned.held')} {sentence(learning.held)}</Banner>}
        {learning.drifting && <Banner tone="medium" icon="info">{t('learned.drifting')}</Banner>}
        <dl className="facts">
          <dt>{t('learned.now')}</dt><dd>{sentence(learning.state)}</dd>
          {learning.trust !== null && (<><dt>{t('learned.trust')}</dt><dd className="num">{percent(learning.trust)}</dd></>)}
          <dt>{t('learned.taught')}</dt><dd className="num">{t('learned.taught_text', { now: count(learning.taught), all: count(learning.taught_in_all) })}</dd>
          <dt>{t('learned.kept_out')}</dt><dd className="num">{count(learning.kept_out)}</dd>
          <dt>{t('learned.probation')}</dt><dd className="num">{count(learning.on_probation)}</dd>
          <dt>{t('learned.suppressed')}</dt><dd className="num"><Link to="/suppressions">{count(learning.suppressed)}</Link></dd>
          <dt>{t('learned.unscored')}</dt><dd className="num">{count(watch.windows_unscored)}</dd>
          <dt>{t('finding.device')}</dt><dd><Link to="/devices/$id" params={{ id: watch.device }}>{watch.name}</Link></dd>
        </dl>
        <Switch watch={watch} />
      </div>
    </Panel>
  );
}

function Switch({ watch }: { watch: Watched }) {
  const may = useMay('detection.models');
  const [open, setOpen] = useState(false);
  const [reason, setReason] = useState('');
  const on = watch.learning.held !== null || watch.learning.drifting;
  const act = useAct(() => post(`/detection/devices/${watch.device}/learning`, { on, reason: reason.trim() }), ROOTS, () => {
    setOpen(false);
    setReason('');
  });
  if (!may) return null;
  if (!open) return <div><Button plain onClick={() => setOpen(true)}>{t(on ? 'learned.go_on' : 'learned.hold')}</Button></div>;
  return (
    <form
      className="stack tight"
      onSubmit={(event) => {
        event.preventDefault();
        act.mutate();
      }}
    >
      <p className="small soft">{t(on ? 'learned.go_on_note' : 'learned.hold_note')}</p>
      <Textarea autoFocus required autosize minRows={2} maxLength={MAX_REASON} label={t('versions.reason')} value={reason} onChange={(event) => setReason(event.currentTarget.value)} />
      <div className="row">
        <Button type="submit" busy={act.isPending} disabled={reason.trim() === ''}>{t(on ? 'learned.go_on' : 'learned.hold')}</Button>
        <Button plain onClick={() => setOpen(false)}>{t('act.cancel')}</Button>
      </div>
      {act.isError && <Failed error={act.error} />}
    </form>
  );
}
