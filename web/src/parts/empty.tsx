// An empty list says what will appear, why it is empty, and the one act that fills it.
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { texts } from '@/strings/t';
import { t } from '@/strings/pages';
import { Empty } from './page';

/** Where the one act is done, for lists that have a page of it. */
const DOORS: Record<string, string> = {
  devices: '/gateways', incidents: '/gateways', findings: '/gateways', models: '/gateways', commands: '/gateways',
  shares: '/access', exchange: '/access', knowledge: '/feeds', communities: '/access', evaluations: '/devices',
};

interface GuideProps {
  /** The list's name: its words are `empty.NAME.title`, `.what`, `.why` and `.act`. */
  name: string;
  /** True when the list is empty because its part did not answer. */
  missing?: boolean;
  /** The act, where it is done on the page itself. */
  action?: ReactNode;
}

const said = (name: string, part: string): string | null => texts[`empty.${name}.${part}`] ?? null;

export function Guide({ name, missing, action }: GuideProps) {
  if (missing) return <Empty title={t('empty.missing')} action={<Link to="/health">{t('nav.health')}</Link>}>{t('empty.missing_why')}</Empty>;
  const [door, act] = [DOORS[name], said(name, 'act')];
  return (
    <Empty title={said(name, 'title') ?? t('empty.nothing')} action={action || (door && act && <Link to={door} className="button plain-look">{act}</Link>)}>
      {said(name, 'what')} {said(name, 'why')}
    </Empty>
  );
}
