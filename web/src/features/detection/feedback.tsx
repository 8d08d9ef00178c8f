// "This is normal for this device", or "this is an attack": a person's word, with its reach and its end.
import { NativeSelect, Textarea } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { post } from '@/api/client';
import type { FindingDetail } from '@/api/types';
import { useMay } from '@/app/session';
import { serviceOf } from '@/features/incidents/words';
import { useAct } from '@/parts/act';
import { Button } from '@/parts/button';
import { Banner, Failed, Panel } from '@/parts/page';
import { Segments } from '@/parts/segments';
import { Wall } from '@/parts/time';
import { t, word } from '@/strings/pages';
import { scopeBody, scopesOf, SPANS, untilOf, type ScopeChoice, type Span } from './match';

const MAX_REASON = 500;
const ROOTS = ['findings', 'detection', 'incidents', 'ledger'];

export function FeedbackPanel({ finding }: { finding: FindingDetail }) {
  const may = useMay('detection.feedback');
  if (!may && !finding.feedback) return null;
  return (
    <Panel title={t('feedback.title')}>
      <div className="stack">
        {finding.feedback && (
          <Banner tone={finding.feedback.verdict === 'normal' ? 'good' : 'medium'} icon="note">
            <div className="strong">{t(finding.feedback.verdict === 'normal' ? 'feedback.said_normal' : 'feedback.said_attack')}</div>
            <div>{finding.feedback.reason}</div>
            <div className="small quiet">{finding.feedback.author} · <Wall at={finding.feedback.at} relative /> · <Link to="/suppressions">{t('nav.suppressions')}</Link></div>
          </Banner>
        )}
        {may && <Judge finding={finding} />}
      </div>
    </Panel>
  );
}

function Judge({ finding }: { finding: FindingDetail }) {
  const [verdict, setVerdict] = useState<'normal' | 'attack'>('normal');
  const [choice, setChoice] = useState<ScopeChoice>('finding');
  const [part, setPart] = useState('');
  const [span, setSpan] = useState<Span>('week');
  const [reason, setReason] = useState('');
  const parts = partsOf(finding, choice);
  const act = useAct(
    () => {
      const normal = verdict === 'normal' ? { scope: scopeBody(finding, choice, part || (parts[0]?.value ?? '')), until: untilOf(span, Date.now()) } : {};
      return post(`/findings/${finding.id}/feedback`, { verdict, reason: reason.trim(), ...normal });
    },
    ROOTS,
    () => setReason(''),
  );
  return (
    <form
      className="stack"
      onSubmit={(event) => {
        event.preventDefault();
        act.mutate();
      }}
    >
      <Segments label={t('feedback.verdict')} value={verdict} options={[['normal', t('feedback.normal')], ['attack', t('feedback.attack')]]} onChange={setVerdict} />
      {verdict === 'normal' && (
        <>
          <NativeSelect
            label={t('feedback.scope')}
            value={choice}
            onChange={(event) => { setChoice(event.currentTarget.value as ScopeChoice); setPart(''); }}
            data={scopesOf(finding).map((one) => ({ value: one, label: t(`feedback.scope.${one}`) }))}
          />
          {parts.length > 0 && <NativeSelect label={t('feedback.part')} value={part || parts[0]?.value} onChange={(event) => setPart(event.currentTarget.value)} data={parts} />}
          <NativeSelect label={t('feedback.until')} value={span} onChange={(event) => setSpan(event.currentTarget.value as Span)} data={(Object.keys(SPANS) as Span[]).map((one) => ({ value: one, label: t(`feedback.until.${one}`) }))} />
        </>
      )}
      <p className="small soft">{t(verdict === 'attack' ? 'feedback.attack_note' : choice === 'device' ? 'feedback.device_note' : span === 'never' ? 'feedback.never_note' : 'feedback.normal_note')}</p>
      <Textarea required autosize minRows={2} maxLength={MAX_REASON} label={t('versions.reason')} value={reason} onChange={(event) => setReason(event.currentTarget.value)} />
      <div><Button type="submit" busy={act.isPending} disabled={reason.trim() === ''}>{t(verdict === 'normal' ? 'feedback.do_normal' : 'feedback.do_attack')}</Button></div>
      {act.isSuccess && <p role="status" className="small soft">{t('feedback.done')}</p>}
      {act.isError && <Failed error={act.error} />}
    </form>
  );
}

function partsOf(finding: FindingDetail, choice: ScopeChoice): { value: string; label: string }[] {
  if (choice === 'metric') return finding.why.map((one) => ({ value: one.metric, label: one.meaning })).filter((one, index, all) => all.findIndex((other) => other.value === one.value) === index);
  if (choice === 'technique') return finding.techniques.map((one) => ({ value: one.id, label: `${one.id} ${one.name} (${word('framework', one.framework)})` }));
  if (choice === 'peer') return finding.evidence.map((one, index) => ({ value: String(index), label: `${one.peer} ${serviceOf(one.protocol, one.port)}` }));
  return [];
}
