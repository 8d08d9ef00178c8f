import { Textarea } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { post } from '@/api/client';
import { reads } from '@/api/queries';
import type { MachineVersion } from '@/api/types';
import { useMay } from '@/app/session';
import { useAct } from '@/parts/act';
import { Button } from '@/parts/button';
import { count } from '@/parts/format';
import { Empty, Failed, Loaded, Panel } from '@/parts/page';
import { sentence } from '@/parts/sentence';
import { PlainTag } from '@/parts/tags';
import { spanText, Wall } from '@/parts/time';
import { Digest } from '@/parts/value';
import { t, word } from '@/strings/pages';

const ROOTS = ['detection', 'ledger'];
const MAX_REASON = 500;

/** What a person is about to do: go back to a version, or learn again. */
export type Step = { version: number } | 'relearn' | null;

export function Versions({ edge }: { edge: string }) {
  const list = useQuery(reads.machineVersions(edge));
  const mayRelearn = useMay('detection.write');
  const [step, setStep] = useState<Step>(null);
  return (
    <Panel title={t('commands.versions')} flush end={mayRelearn && <Button plain small onClick={() => setStep('relearn')}>{t('commands.relearn')}</Button>}>
      <Loaded query={list}>
        {({ items }) => items.length === 0 ? <Empty title={t('versions.empty')}>{t('commands.none_yet_why')}</Empty> : <Table items={items} choose={setStep} />}
      </Loaded>
      {step && <Confirm key={step === 'relearn' ? 0 : step.version} path={`/detection/commands/${encodeURIComponent(edge)}`} step={step} close={() => setStep(null)} />}
    </Panel>
  );
}

function Table({ items, choose }: { items: MachineVersion[]; choose: (step: Step) => void }) {
  const may = useMay('detection.models');
  return (
    <div className="scroll">
      <table className="data">
        <caption className="hidden-text">{t('commands.versions')}</caption>
        <thead>
          <tr>
            <th scope="col" className="right">{t('models.col.version')}</th>
            <th scope="col">{t('versions.col.state')}</th>
            <th scope="col" className="right">{t('commands.col.pairs')}</th>
            <th scope="col">{t('commands.rests')}</th>
            <th scope="col">{t('versions.col.signature')}</th>
            <th scope="col"><span className="hidden-text">{t('table.actions')}</span></th>
          </tr>
        </thead>
        <tbody>
          {items.map((one) => (
            <tr key={one.version}>
              <td className="right strong">{one.version}</td>
              <td>
                <PlainTag tone={one.state === 'active' ? 'good' : 'low'} shape={one.state === 'active' ? 'check' : 'bar'}>{word('versions.state', one.state)}</PlainTag>
                <div className="small quiet">{t('commands.made_by', { origin: word('commands.origin', one.origin), author: one.author })} · <Wall at={one.made_at} relative /></div>
                <div className="small quiet">{sentence(one.reason)}</div>
              </td>
              <td className="right">{count(one.pairs)}</td>
              <td>{t('commands.learned_from', { n: count(one.operations), span: spanText(one.seconds * 1000) })}</td>
              <td>
                <PlainTag tone={one.signature_valid ? 'good' : 'critical'} shape={one.signature_valid ? 'check' : 'cross'}>{t(one.signature_valid ? 'versions.signed' : 'versions.unsigned')}</PlainTag>
                <div className="small"><Digest value={one.file} length={6} /></div>
              </td>
              <td>{may && one.state !== 'active' && one.signature_valid && <Button plain small onClick={() => choose({ version: one.version })}>{t('versions.back', { n: one.version })}</Button>}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** Asks why, and does it to the model at an address of the API. */
export function Confirm({ path, step, close }: { path: string; step: Exclude<Step, null>; close: () => void }) {
  const [reason, setReason] = useState('');
  const relearn = step === 'relearn';
  const act = useAct(() => post(relearn ? `${path}/relearn` : `${path}/versions/${step.version}/activate`, { reason: reason.trim() }), ROOTS, close);
  const title = relearn ? t('commands.relearn') : t('versions.confirm', { n: step.version });
  return (
    <form
      className="stack rule"
      style={{ padding: 16 }}
      aria-label={title}
      onSubmit={(event) => {
        event.preventDefault();
        act.mutate();
      }}
    >
      <h3 className="strong">{title}</h3>
      {relearn && <p className="soft">{t('commands.relearn_note')}</p>}
      <Textarea data-autofocus autoFocus required autosize minRows={2} maxLength={MAX_REASON} label={t('versions.reason')} value={reason} onChange={(event) => setReason(event.currentTarget.value)} />
      <div className="row">
        <Button type="submit" busy={act.isPending} disabled={reason.trim() === ''}>{relearn ? t('commands.relearn') : t('versions.do', { n: step.version })}</Button>
        <Button plain onClick={close}>{t('act.cancel')}</Button>
      </div>
      {act.isError && <Failed error={act.error} />}
    </form>
  );
}
