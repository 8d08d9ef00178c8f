import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { post } from '@/api/client';
import { reads } from '@/api/queries';
import type { RunDetail } from '@/api/types';
import { useMay } from '@/app/session';
import { useAct } from '@/parts/act';
import { Failed, Ghost, PageView, Panel } from '@/parts/page';
import { sentence } from '@/parts/sentence';
import { PlainTag, RunTag } from '@/parts/tags';
import { spanText, Wall } from '@/parts/time';
import { Segments } from '@/parts/segments';
import { t, word } from '@/strings/pages';
import './run.css';
import { RunPath } from './run-path';
import { RunStep } from './step';
import { litPath, runTitle } from './words';
import { Button } from '@/parts/button';

export function RunPage() {
  const { id } = useParams({ strict: false }) as { id: string };
  const read = useQuery(reads.run(id));
  const crumb = { to: '/playbooks', text: t('nav.playbooks') };
  if (!read.data) {
    return (
      <PageView title={t('run.one')} crumb={crumb}>
        <section className="panel">{read.isError ? <div style={{ padding: 12 }}><Failed error={read.error} retry={read.refetch} /></div> : <Ghost rows={8} />}</section>
      </PageView>
    );
  }
  return <Body run={read.data} />;
}

function Body({ run }: { run: RunDetail }) {
  const { view } = useSearch({ strict: false }) as { view?: string };
  const navigate = useNavigate();
  const shown = view === 'canvas' ? 'canvas' : 'list';
  const cancel = useAct(() => post(`/runs/${run.id}/cancel`), ['runs']);
  const held = run.state === 'paused';
  const hold = useAct(() => (held ? post(`/runs/${run.id}/resume`) : post(`/runs/${run.id}/pause`)), ['runs']);
  const may = useMay('playbooks.run');
  const ended = run.ended_at !== null || !may;
  return (
    <PageView
      title={runTitle(run)}
      crumb={{ to: '/playbooks', text: t('nav.playbooks') }}
      lead={<span className="row"><RunTag value={run.state} />{run.rehearsal && <PlainTag tone="medium">{t('run.rehearsal')}</PlainTag>}{sentence(run.trigger)}</span>}
      actions={!ended && (
        <>
          <Button plain={!held} busy={hold.isPending} onClick={() => hold.mutate()}>{t(held ? 'hold.go_on' : 'hold.hold')}</Button>
          <Button plain busy={cancel.isPending} onClick={() => cancel.mutate()}>{t('run.cancel')}</Button>
        </>
      )}
    >
      {hold.isError && <Failed error={hold.error} />}
      {cancel.isError && <Failed error={cancel.error} />}
      <div className="cols">
        <Panel
          title={t('run.path')}
          flush={shown === 'canvas'}
          end={<Segments label={t('lit.view')} value={shown} options={[['list', t('lit.list')], ['canvas', t('lit.canvas')]] as const} onChange={(next) => void navigate({ to: '/runs/$id', params: { id: run.id }, search: next === 'canvas' ? { view: next } : {}, replace: true })} />}
        >
          {shown === 'canvas' ? <RunPath run={run} /> : <Steps run={run} />}
        </Panel>
        <div className="stack wide">
          <Panel title={t('run.about')}>
            <dl className="facts">
              <dt>{t('run.playbook')}</dt><dd><Link to="/playbooks/$id" params={{ id: run.playbook }}>{run.name}</Link></dd>
              {run.incident && (<><dt>{t('incident.one')}</dt><dd><Link to="/incidents/$id" params={{ id: run.incident }}>{t('run.open_incident')}</Link></dd></>)}
              <dt>{t('run.started')}</dt><dd><Wall at={run.started_at} /></dd>
              {run.ended_at && (<><dt>{t('run.took')}</dt><dd className="num">{spanText(Date.parse(run.ended_at) - Date.parse(run.started_at))}</dd></>)}
              <dt>{t('run.state')}</dt><dd>{word('run.state', run.state)}</dd>
            </dl>
          </Panel>
          <Variables values={run.variables} />
        </div>
      </div>
    </PageView>
  );
}

/** The path in words: the twin of the drawing. */
function Steps({ run }: { run: RunDetail }) {
  const { lit, unlit } = litPath(run);
  return (
    <>
      <ol className="path">
        {lit.map((step, index) => <RunStep key={`${step.step}${index}`} run={run} step={step} number={index + 1} />)}
      </ol>
      {unlit.length > 0 && (
        <>
          <h3 className="path-rest">{t('run.not_taken')}</h3>
          <ol className="path">
            {unlit.map((step) => <RunStep key={step.step} run={run} step={step} number={null} />)}
          </ol>
        </>
      )}
    </>
  );
}

function Variables({ values }: { values: Record<string, unknown> }) {
  const entries = Object.entries(values ?? {});
  if (entries.length === 0) return null;
  return (
    <Panel title={t('run.variables')}>
      <dl className="facts">
        {entries.map(([name, value]) => (
          <div key={name} style={{ display: 'contents' }}>
            <dt className="mono">{name}</dt>
            <dd className="mono wrap">{typeof value === 'string' ? value : JSON.stringify(value)}</dd>
          </div>
        ))}
      </dl>
    </Panel>
  );
}
