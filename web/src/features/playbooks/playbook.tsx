import { useQuery } from '@tanstack/react-query';
import { useNavigate, useParams } from '@tanstack/react-router';
import { post } from '@/api/client';
import { reads } from '@/api/queries';
import type { Run } from '@/api/types';
import { useMay } from '@/app/session';
import { useAct } from '@/parts/act';
import { Failed, Ghost, PageView, Panel } from '@/parts/page';
import { t, tn } from '@/strings/t';
import './run.css';
import { stepsOf } from './cacao';
import { TriggerPanel } from './trigger';
import { VerdictPanel } from './verdict';
import { Button } from '@/parts/button';

export function PlaybookPage() {
  const { id } = useParams({ strict: false }) as { id: string };
  const read = useQuery(reads.playbook(id));
  const navigate = useNavigate();
  const may = useMay('playbooks.run');
  const start = useAct(() => post<Run>('/runs', { playbook: id }), ['runs'], (run) => run?.id && void navigate({ to: '/runs/$id', params: { id: run.id } }));
  const crumb = { to: '/playbooks', text: t('nav.playbooks') };
  if (!read.data) {
    return (
      <PageView title={t('playbook.one')} crumb={crumb}>
        <section className="panel">{read.isError ? <div style={{ padding: 12 }}><Failed error={read.error} retry={read.refetch} /></div> : <Ghost rows={8} />}</section>
      </PageView>
    );
  }
  const cacao = read.data.playbook as { name?: string; description?: string };
  const steps = stepsOf(read.data.playbook);
  return (
    <PageView
      title={t('playbook.title', { name: cacao.name ?? id })}
      crumb={crumb}
      lead={cacao.description}
      actions={
        <>
          <Button plain onClick={() => void navigate({ to: '/playbooks/$id/edit', params: { id } })}>{t('playbook.edit')}</Button>
          {may && <Button plain busy={start.isPending} onClick={() => start.mutate()}>{t('playbook.start')}</Button>}
        </>
      }
    >
      <div className="stack wide">
        {start.isError && <Failed error={start.error} />}
        <div className="cols even">
          <Panel title={tn('playbook.steps', steps.length)}>
            <ol className="path">
              {steps.map((step) => (
                <li key={step.id} className="plan">
                  <span className="dot" aria-hidden="true" />
                  <div>
                    <div className="row"><span className="strong">{step.name}</span><span className="small quiet">{step.type}</span></div>
                    {step.commands.map((command) => <pre key={command} className="code">{command}</pre>)}
                    {step.next.length > 0 && <p className="small quiet">{t('playbook.then', { names: step.next.join(t('words.or')) })}</p>}
                  </div>
                </li>
              ))}
            </ol>
          </Panel>
          <div className="stack wide">
            <TriggerPanel playbook={read.data} />
            {read.data.report && <VerdictPanel report={read.data.report} />}
            <Panel title={t('playbook.json')}>
              <pre className="code" tabIndex={0} aria-label={t('playbook.json')}>{JSON.stringify(read.data.playbook, null, 2)}</pre>
            </Panel>
          </div>
        </div>
      </div>
    </PageView>
  );
}
