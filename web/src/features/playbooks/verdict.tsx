// Whether this node would run a playbook, and what it says about the document and its signatures.
import { Link } from '@tanstack/react-router';
import type { PlaybookReport } from '@/api/types';
import { Panel } from '@/parts/page';
import { sentence } from '@/parts/sentence';
import { PlainTag } from '@/parts/tags';
import { t } from '@/strings/pages';

export function VerdictPanel({ report }: { report: PlaybookReport }) {
  const lines = [...report.errors, ...report.runnable.missing, ...report.warnings];
  return (
    <Panel
      title={t('verdict.title')}
      end={report.runnable.ok ? <PlainTag tone="good" shape="check">{t('verdict.runs')}</PlainTag> : <PlainTag tone="critical" shape="cross">{t('verdict.runs_not')}</PlainTag>}
    >
      {lines.length === 0 ? <p className="soft">{t('verdict.nothing')}</p> : <ul className="reasons">{lines.map((line) => <li key={line} className="wrap">{sentence(line)}</li>)}</ul>}
      <p className="small quiet">{t('verdict.keys')} <Link to="/playbook-keys">{t('nav.playbook_keys')}</Link></p>
    </Panel>
  );
}
