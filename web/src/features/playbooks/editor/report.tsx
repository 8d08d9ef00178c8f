// Two answers, never mixed: is it conformant, and can this node run it.
import { ApiError } from '@/api/client';
import { PlainTag } from '@/parts/tags';
import { t, tn } from '@/strings/pages';
import { stepWord } from '../canvas/look';
import { workflowOf, type Doc } from '../model/document';
import { said, type Part, type Said } from '../model/place';
import type { Asked } from './use-report';

interface ReportProps {
  doc: Doc;
  asked: Asked;
  onGo: (step: string | null, part: Part) => void;
}

export function Report({ doc, asked, onGo }: ReportProps) {
  const { report, old, error } = asked;
  const lines = (list: string[] | undefined) => (list ?? []).map((line) => said(line, doc));
  return (
    <section className="report" aria-label={t('edit.checks')}>
      <div className="row" role="status">
        {report === null && !error && <span className="small quiet">{t('edit.checking')}</span>}
        {report && (
          <>
            {report.valid ? <PlainTag tone="good" shape="check">{t('edit.conformant')}</PlainTag> : <PlainTag tone="critical" shape="cross">{tn('edit.errors', report.errors.length)}</PlainTag>}
            {report.runnable.ok ? <PlainTag tone="good" shape="check">{t('edit.runnable')}</PlainTag> : <PlainTag tone="medium" shape="slash">{report.runnable.missing.length > 0 ? tn('edit.missing', report.runnable.missing.length) : t('edit.not_runnable')}</PlainTag>}
            {report.warnings.length > 0 && <PlainTag tone="medium" shape="triangle">{tn('edit.warnings', report.warnings.length)}</PlainTag>}
            {old && !error && <span className="small quiet">{t('edit.checking')}</span>}
          </>
        )}
        {Boolean(error) && <span className="small soft">{t('edit.not_asked', { why: error instanceof ApiError ? error.problem.title : '' })} {report && t('edit.older_answer')}</span>}
      </div>
      {report && (
        <>
          <Lines title={t('edit.by_standard')} tone="critical" lines={lines(report.errors)} doc={doc} onGo={onGo} />
          <Lines title={t('edit.by_node')} tone="medium" lines={lines(report.runnable.missing)} doc={doc} onGo={onGo} />
          <Lines title={t('edit.advice')} tone="low" lines={lines(report.warnings)} doc={doc} onGo={onGo} />
        </>
      )}
    </section>
  );
}

interface LinesProps { title: string; tone: string; lines: Said[]; doc: Doc; onGo: ReportProps['onGo'] }

function Lines({ title, tone, lines, doc, onGo }: LinesProps) {
  if (lines.length === 0) return null;
  return (
    <details className={`report-lines ${tone}`} open={lines.length <= 6}>
      <summary>{title} <span className="quiet num">{lines.length}</span></summary>
      <ul>
        {lines.map((line, index) => (
          <li key={`${line.text}${index}`}>
            <button type="button" onClick={() => onGo(line.step, line.part)}>
              <b>{line.step ? stepWord(line.step, workflowOf(doc)[line.step]) : (line.place ?? t('edit.whole'))}</b> {line.text}
            </button>
          </li>
        ))}
      </ul>
    </details>
  );
}

/** How many faults each step has, of the standard and of this node. */
export function faultsOf(doc: Doc, asked: Asked): Map<string, number> {
  const counts = new Map<string, number>();
  for (const line of asked.report?.errors ?? []) {
    const { step } = said(line, doc);
    if (step) counts.set(step, (counts.get(step) ?? 0) + 1);
  }
  return counts;
}
