import { TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { post } from '@/api/client';
import { reads } from '@/api/queries';
import type { Automation } from '@/api/types';
import { useMay } from '@/app/session';
import { useAct } from '@/parts/act';
import { Button } from '@/parts/button';
import { Failed, Ghost, Loaded, PageView, Panel } from '@/parts/page';
import { Sure } from '@/parts/sure';
import { PlainTag } from '@/parts/tags';
import { localText, useNow, Wall } from '@/parts/time';
import { t } from '@/strings/pages';
import './automation.css';
import { PolicyForm } from './form';
import { holdsText, linesOf, rulesOf } from './policy';

const MAX_REASON_CHARS = 300;
export const AUTOMATION_ROOTS = ['automation', 'proposals', 'runs', 'ledger'];

/** How far playbooks go by themselves: what holds now, the switch that ends it, and the rules. */
export function AutomationPage() {
  const policy = useQuery(reads.automation());
  const may = useMay('playbooks.write');
  const now = useNow();
  const { data } = policy;
  const title = !data ? t('nav.automation') : data.stopped ? t('auto.title_stopped', { by: data.stopped.by, since: localText(data.stopped.at) }) : holdsText(rulesOf(data), now);
  return (
    <PageView title={title} crumb={{ to: '/playbooks', text: t('nav.playbooks') }} lead={t('auto.lead')}>
      <Loaded query={policy} ghost={<section className="panel"><Ghost rows={8} /></section>}>
        {(read) => (
          <div className="stack wide">
            <div className="cols">
              <Panel title={t('auto.words')}><Lines policy={read} now={now} /></Panel>
              <Switch policy={read} mayResume={may} />
            </div>
            {may && <PolicyForm policy={read} />}
          </div>
        )}
      </Loaded>
    </PageView>
  );
}

function Lines({ policy, now }: { policy: Automation; now: number }) {
  return (
    <>
      {policy.stopped && <p className="auto-stopped strong">{t('auto.words_stopped')}</p>}
      <ul className="auto-lines">
        {linesOf(rulesOf(policy), now).map((line) => (
          <li key={line.key}>{line.text}{line.now && <> <PlainTag tone="medium" shape="half">{t('auto.now')}</PlainTag></>}</li>
        ))}
      </ul>
      <p className="small quiet">{t('auto.words_least')}</p>
    </>
  );
}

/** The kill switch: who may run playbooks may stop; only administrators let things go on. */
function Switch({ policy: { stopped }, mayResume }: { policy: Automation; mayResume: boolean }) {
  const mayStop = useMay('playbooks.run');
  const [reason, setReason] = useState('');
  const stop = useAct(() => post('/automation/stop', { reason: reason.trim() }), AUTOMATION_ROOTS, () => setReason(''));
  const resume = useAct(() => post('/automation/resume'), AUTOMATION_ROOTS);
  if (stopped) {
    return (
      <Panel title={t('auto.switch')} end={<PlainTag tone="high" shape="bar">{t('auto.is_stopped')}</PlainTag>}>
        <div className="stack">
          <dl className="facts">
            <dt>{t('auto.by')}</dt><dd>{stopped.by}</dd>
            <dt>{t('auto.since')}</dt><dd><Wall at={stopped.at} /></dd>
            <dt>{t('auto.reason')}</dt><dd className="wrap">{stopped.reason}</dd>
          </dl>
          <p className="soft">{t('auto.resume_means')} <Link to="/playbooks" className="inline">{t('auto.held_runs')}</Link></p>
          {mayResume ? <div><Sure text={t('auto.resume')} sure={t('auto.resume_sure')} busy={resume.isPending} onSure={() => resume.mutate()} /></div> : <p className="small quiet">{t('auto.may_not_resume')}</p>}
          {resume.isError && <Failed error={resume.error} />}
        </div>
      </Panel>
    );
  }
  return (
    <Panel title={t('auto.switch')} end={<PlainTag tone="good" shape="check">{t('auto.is_on')}</PlainTag>}>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          stop.mutate();
        }}
      >
        <p className="soft">{t('auto.stop_means')}</p>
        {mayStop ? (
          <>
            <TextInput label={t('auto.stop_reason')} required maxLength={MAX_REASON_CHARS} value={reason} onChange={(event) => setReason(event.currentTarget.value)} />
            <div><Button type="submit" busy={stop.isPending} disabled={reason.trim() === ''}>{t('auto.stop')}</Button></div>
          </>
        ) : <p className="small quiet">{t('auto.may_not_stop')}</p>}
        {stop.isError && <Failed error={stop.error} />}
      </form>
    </Panel>
  );
}
