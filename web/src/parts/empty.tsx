// An empty list says what will appear, why it is empty, and the one act that fills it.
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { t, word } from '@/strings/pages';
import { Empty } from './page';

/** Where the act is done that fills a list, where that is another page. */
const DOORS: Record<string, string> = {
  devices: '/gateways', models: '/gateways', commands: '/gateways', gateways: '/health', suppressions: '/findings', evaluations: '/devices',
  shares: '/incidents', peers: '/access', links: '/access', exchange: '/knowledge', communities: '/access', runs: '/approvals', playbooks: '/playbooks/new', imports: '/feeds',
};

interface GuideProps {
  /** The list's name: its words are `empty.NAME.title`, `.what`, `.why` and `.act`. */
  name: string;
  /** What is said already, where a page has words of its own. */
  title?: string;
  why?: string;
  /** True when the list is empty because its part did not answer. */
  missing?: boolean;
  /** The act, where it is done on the page itself. */
  action?: ReactNode;
}

export function Guide({ name, title, why, missing, action }: GuideProps) {
  if (missing) return <Empty title={t('empty.missing')} action={<Link to="/health">{t('nav.health')}</Link>}>{t('empty.missing_why')}</Empty>;
  // A word without a text comes back as it is.
  const said = (part: string): string => word(`empty.${name}`, part).replace(new RegExp(`^${part}$`), '');
  const [door, act] = [DOORS[name], said('act')];
  return (
    <Empty title={title ?? (said('title') || t('empty.nothing'))} action={action || (door && act && <Link to={door} className="button plain-look">{act}</Link>)}>
      {said('what')} {why ?? said('why')}
    </Empty>
  );
}
