// One report: per device and detector, beside each other, with the worst seed in sight.
import { NativeSelect } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { reads } from '@/api/queries';
import type { EvaluationDetail, Scenario, Subject } from '@/api/types';
import { count, percent } from '@/parts/format';
import { Banner, Failed, Ghost, PageView, Panel } from '@/parts/page';
import { Wall } from '@/parts/time';
import { t, tn } from '@/strings/pages';
import { CourseChart, RocCurve } from './curves';
import { Goals } from './evaluations';
import { alarmsText, misses, SHIPPED, spreadText, type Figure } from './goals';
import './detection.css';

export function EvaluationPage() {
  const { id } = useParams({ strict: false }) as { id: string };
  const search = useSearch({ strict: false }) as { scenario?: string };
  const navigate = useNavigate();
  const read = useQuery(reads.evaluation(id));
  const crumb = { to: '/evaluations', text: t('nav.evaluations') };
  const data = read.data;
  if (!data) {
    return (
      <PageView title={t('eval.one')} crumb={crumb}>
        <section className="panel">{read.isError ? <div style={{ padding: 12 }}><Failed error={read.error} retry={read.refetch} /></div> : <Ghost rows={8} />}</section>
      </PageView>
    );
  }
  const { report } = data;
  const scenario = report.scenarios.find((one) => one.name === search.scenario) ?? report.scenarios[0];
  return (
    <PageView
      title={data.short.length === 0 ? t('eval.title_held', { name: data.name }) : tn('eval.title_short', data.short.length, { name: data.name })}
      crumb={crumb}
      lead={<span className="row"><Goals n={data.short.length} /> {t('eval.made', { program: report.program, seeds: report.seeds, share: percent(report.alpha), window: report.window_s })} <Wall at={data.recorded_at} relative /></span>}
      actions={
        <>
          <NativeSelect aria-label={t('eval.scenario')} w={240} value={scenario?.name ?? ''} data={report.scenarios.map((one) => one.name)} onChange={(event) => void navigate({ to: '/evaluations/$id', params: { id }, search: { scenario: event.currentTarget.value }, replace: true })} />
          <a className="button plain-look" href={`/api/v1/detection/evaluations/${id}/report.html`} download>{t('eval.download')}</a>
        </>
      }
    >
      <div className="stack wide">
        <Short data={data} />
        {scenario && <ScenarioView key={scenario.name} scenario={scenario} />}
        <Panel title={t('eval.rules')}><ul className="stack tight soft">{report.rules.map((rule) => <li key={rule}>{rule}</li>)}</ul></Panel>
      </div>
    </PageView>
  );
}

function Short({ data }: { data: EvaluationDetail }) {
  if (data.short.length === 0) return <Banner tone="good" icon="check">{t('eval.all_held')}</Banner>;
  return (
    <Banner tone="medium" icon="info">
      <div className="strong">{t('eval.short')}</div>
      <ul>{data.short.map((line) => <li key={line}>{line}</li>)}</ul>
    </Banner>
  );
}

function ScenarioView({ scenario }: { scenario: Scenario }) {
  return (
    <>
      <Panel title={scenario.name} flush>
        <div className="stack tight" style={{ padding: '12px 16px' }}>
          <p>{scenario.description}</p>
          <p className="small quiet">{t('eval.source', { source: scenario.source || '–', licence: scenario.licence || '–' })}</p>
          {scenario.failed && <Banner tone="critical" icon="incident">{scenario.failed}</Banner>}
          {!scenario.test.labelled && <Banner tone="medium" icon="info">{t('eval.unlabelled')}</Banner>}
          {[...scenario.training.warnings, ...scenario.test.notes].map((line) => <p key={line} className="small soft">{line}</p>)}
        </div>
        <Figures scenario={scenario} />
      </Panel>
      <Curves scenario={scenario} />
    </>
  );
}

function Cell({ subject, figure, shipped, digits }: { subject: Subject; figure: Figure; shipped: boolean; digits?: number }) {
  const text = spreadText(subject[figure], digits);
  if (!shipped || !misses(subject, figure)) return <td className="right nowrap">{text}</td>;
  return <td className="right"><span className="missed">▲ {text}<span className="hidden-text"> {t('eval.misses')}</span></span></td>;
}

function Figures({ scenario }: { scenario: Scenario }) {
  return (
    <div className="scroll rule" tabIndex={0} role="region" aria-label={t('eval.figures')}>
      <table className="data figures">
        <caption className="table-name">{t('eval.figures')} <span className="quiet">{t('eval.figures_note')}</span></caption>
        <thead>
          <tr>
            <th scope="col">{t('eval.detector')}</th><th scope="col">{t('finding.device')}</th><th scope="col" className="right">AUC</th><th scope="col" className="right">TPR</th><th scope="col" className="right">FPR</th>
            <th scope="col" className="right">{t('eval.balanced')}</th><th scope="col" className="right">{t('eval.delay')}</th><th scope="col" className="right">{t('eval.false_alarms')}</th><th scope="col" className="right">{t('eval.windows')}</th>
            <th scope="col" className="right">{t('eval.training')}</th><th scope="col" className="right">{t('eval.per_window')}</th>
          </tr>
        </thead>
        <tbody>
          {scenario.detectors.flatMap((detector) => {
            const shipped = detector.detector === SHIPPED;
            if (detector.failed || detector.subjects.length === 0) {
              return [<tr key={detector.detector}><th scope="row"><code>{detector.detector}</code></th><td colSpan={10} className="quiet">{detector.failed ?? t('eval.no_figures')}</td></tr>];
            }
            return detector.subjects.map((subject, index) => (
              <tr key={`${detector.detector}${subject.device ?? ''}`}>
                <th scope="row" className={shipped ? 'strong' : ''} style={{ fontWeight: shipped ? 600 : 400 }} title={detector.about}><code>{detector.detector}</code>{shipped && index === 0 && <span className="small quiet"> {t('eval.ships')}</span>}</th>
                <td>{subject.device ?? t('eval.together')}</td>
                <Cell subject={subject} figure="auc" shipped={shipped} />
                <Cell subject={subject} figure="tpr" shipped={shipped} />
                <Cell subject={subject} figure="fpr" shipped={shipped} digits={4} />
                <td className="right nowrap">{spreadText(subject.balanced_accuracy)}</td>
                <Cell subject={subject} figure="delay_windows" shipped={shipped} digits={0} />
                <td className="right nowrap">{alarmsText(subject)}</td>
                <td className="right nowrap">{count(subject.positive)} + {count(subject.negative)}</td>
                <td className="right nowrap">{index === 0 ? spreadText(detector.training_s) : ''}</td>
                <td className="right nowrap">{index === 0 ? spreadText(detector.window_us, 2) : ''}</td>
              </tr>
            ));
          })}
        </tbody>
      </table>
    </div>
  );
}

/** The curves of one detector and device: both chosen in the address. */
function Curves({ scenario }: { scenario: Scenario }) {
  const search = useSearch({ strict: false }) as { curve?: string };
  const navigate = useNavigate();
  const { id } = useParams({ strict: false }) as { id: string };
  const all = scenario.detectors.flatMap((detector) => detector.subjects.map((subject) => ({ key: `${detector.detector} · ${subject.device ?? t('eval.together')}`, subject })));
  const chosen = all.find((one) => one.key === search.curve) ?? all.find((one) => one.key.startsWith(SHIPPED)) ?? all[0];
  if (!chosen) return null;
  return (
    <Panel
      title={t('eval.curves')}
      end={<NativeSelect size="xs" aria-label={t('eval.curve_of')} value={chosen.key} data={all.map((one) => one.key)} onChange={(event) => void navigate({ to: '/evaluations/$id', params: { id }, search: { scenario: scenario.name, curve: event.currentTarget.value }, replace: true })} />}
    >
      <div className="curves">
        <RocCurve points={chosen.subject.roc} label={`${t('eval.roc')}: ${chosen.key}`} />
        <CourseChart course={chosen.subject.course} label={`${t('eval.course')}: ${chosen.key}`} />
      </div>
      <p className="small quiet">{t('eval.first_seed')}</p>
    </Panel>
  );
}
