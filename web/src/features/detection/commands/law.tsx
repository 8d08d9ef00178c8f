// One model of laws: how it stands, who speaks, what training itself broke, its versions.
import { useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { Fragment, useState } from 'react';
import { reads } from '@/api/queries';
import type { LawModel, LawModelDetail } from '@/api/types';
import { useMay } from '@/app/session';
import { Button } from '@/parts/button';
import { count } from '@/parts/format';
import { Empty, Failed, Ghost, PageView, Panel } from '@/parts/page';
import { sentence } from '@/parts/sentence';
import { PlainTag, WatchTag } from '@/parts/tags';
import { Packet, Wall } from '@/parts/time';
import { Digest, Value } from '@/parts/value';
import { t, tn, word } from '@/strings/pages';
import { Confirm, type Step } from './versions';

export function LawPage() {
  const { edge, protocol } = useParams({ strict: false }) as { edge: string; protocol: string };
  const read = useQuery(reads.law(edge, protocol));
  const model = read.data;
  return (
    <PageView title={t('laws.of', { protocol: word('laws.name', protocol), edge })} crumb={{ to: '/commands', text: t('nav.commands') }} lead={model && sentence(model.now.protection)}>
      {read.isError && <Failed error={read.error} retry={read.refetch} />}
      {read.isPending && <section className="panel"><Ghost rows={6} /></section>}
      {model && (
        <div className="stack wide">
          <Standing now={model.now} />
          <Speakers model={model} />
          <BrokenInTraining model={model} />
          <LawVersions model={model} path={`/detection/laws/${encodeURIComponent(edge)}/${encodeURIComponent(protocol)}`} />
        </div>
      )}
    </PageView>
  );
}

function Standing({ now }: { now: LawModel }) {
  const counted = [
    ['commands.col.judged', now.judged], ['laws.unusual', now.unusual], ['commands.informed', now.informed], ['commands.suppressed', now.suppressed], ['commands.kept_out', now.kept_out],
    ['commands.unwatched', now.unwatched], ['commands.waiting', now.waiting], ['laws.untold', now.untold], ['commands.unjudged', now.unjudged],
  ] as const;
  return (
    <Panel title={t('commands.now')} end={<WatchTag value={now.state.state} />}>
      <dl className="facts">
        <dt>{t('commands.col.operations')}</dt><dd>{tn('laws.messages', now.messages)}</dd>
        {counted.filter(([, number], index) => index < 2 || number > 0).map(([key, number]) => <Fragment key={key}><dt>{t(key)}</dt><dd className="num">{count(number)}</dd></Fragment>)}
        {now.last_at && (<><dt>{t('commands.last')}</dt><dd><Packet at={now.last_at} /></dd></>)}
      </dl>
    </Panel>
  );
}

function Speakers({ model }: { model: LawModelDetail }) {
  return (
    <Panel title={t('laws.speakers')} flush>
      {model.speakers.length === 0 ? <Empty title={t('commands.none_yet')}>{t('commands.none_yet_why')}</Empty> : (
        <div className="scroll">
          <table className="data">
            <caption className="hidden-text">{t('laws.speakers')}</caption>
            <thead>
              <tr>
                <th scope="col">{t('laws.speaker')}</th>
                <th scope="col">{t('laws.device')}</th>
                <th scope="col" className="right">{t('laws.count')}</th>
                <th scope="col" className="right">{t('laws.rest')}</th>
                <th scope="col" className="right">{t('laws.changes')}</th>
              </tr>
            </thead>
            <tbody>
              {model.speakers.map((one) => (
                <tr key={one.name}>
                  <td className="mono">{one.name}</td>
                  <td><Value kind="address" value={one.device} /></td>
                  <td className="right">{count(one.messages)}</td>
                  <td className="right">{one.rest_ms === null ? '–' : t('laws.ms', { n: count(Math.round(one.rest_ms)) })}</td>
                  <td className="right">{count(one.changes)}</td>
                </tr>
              ))}
            </tbody>
          </table>
          {model.speakers_beyond > 0 && <p className="small soft" style={{ padding: '8px 16px' }}>{tn('unusual.beyond', model.speakers_beyond)}</p>}
        </div>
      )}
    </Panel>
  );
}

function BrokenInTraining({ model }: { model: LawModelDetail }) {
  if (model.broken_in_training.length === 0) return null;
  return (
    <Panel title={t('laws.broken')}>
      <p className="small soft">{t('laws.broken_note')}</p>
      <ul className="small">
        {model.broken_in_training.map((one) => <li key={one.law}>{sentence(one.meaning)}: {t('laws.broken_times', { n: count(one.largest), windows: count(one.windows) })}</li>)}
      </ul>
    </Panel>
  );
}

function LawVersions({ model, path }: { model: LawModelDetail; path: string }) {
  const [mayGoBack, mayRelearn] = [useMay('detection.models'), useMay('detection.write')];
  const [step, setStep] = useState<Step>(null);
  return (
    <Panel title={t('commands.versions')} flush end={mayRelearn && <Button plain small onClick={() => setStep('relearn')}>{t('commands.relearn')}</Button>}>
      {model.versions.length === 0 && <Empty title={t('versions.empty')}>{t('commands.none_yet_why')}</Empty>}
      {model.versions.length > 0 && (
        <div className="scroll">
          <table className="data">
            <caption className="hidden-text">{t('commands.versions')}</caption>
            <thead>
              <tr>
                <th scope="col" className="right">{t('models.col.version')}</th>
                <th scope="col">{t('versions.col.state')}</th>
                <th scope="col">{t('commands.rests')}</th>
                <th scope="col">{t('versions.col.signature')}</th>
                <th scope="col"><span className="hidden-text">{t('table.actions')}</span></th>
              </tr>
            </thead>
            <tbody>
              {model.versions.map((one) => (
                <tr key={one.version}>
                  <td className="right strong">{one.version}</td>
                  <td>
                    <PlainTag tone={one.state === 'active' ? 'good' : 'low'} shape={one.state === 'active' ? 'check' : 'bar'}>{word('versions.state', one.state)}</PlainTag>
                    <div className="small quiet">{sentence(one.reason)} · <Wall at={one.made_at} relative /></div>
                  </td>
                  <td><Packet at={one.from} /> – <Packet at={one.to} /></td>
                  <td>
                    <PlainTag tone={one.signature_valid ? 'good' : 'critical'} shape={one.signature_valid ? 'check' : 'cross'}>{t(one.signature_valid ? 'versions.signed' : 'versions.unsigned')}</PlainTag>
                    <div className="small"><Digest value={one.file} length={6} /></div>
                  </td>
                  <td>{mayGoBack && one.state !== 'active' && one.signature_valid && <Button plain small onClick={() => setStep({ version: one.version })}>{t('versions.back', { n: one.version })}</Button>}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {step && <Confirm key={step === 'relearn' ? 0 : step.version} path={path} step={step} close={() => setStep(null)} />}
    </Panel>
  );
}
