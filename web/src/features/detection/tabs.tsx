import { Link } from '@tanstack/react-router';
import { t } from '@/strings/t';
import './detection.css';

const PLACES = [
  ['/findings', 'nav.findings'], ['/models', 'nav.models'], ['/commands', 'nav.commands'], ['/suppressions', 'nav.suppressions'], ['/evaluations', 'nav.evaluations'],
] as const;

/** The pages that belong to detection, one beside the other. */
export function DetectionTabs() {
  return (
    <nav className="page-tabs" aria-label={t('detection.tabs')}>
      {PLACES.map(([to, key]) => <Link key={to} to={to} activeOptions={{ exact: true, includeSearch: false }}>{t(key)}</Link>)}
    </nav>
  );
}
