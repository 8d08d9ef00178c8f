import { useQuery } from '@tanstack/react-query';
import { reads } from '@/api/queries';
import type { NodeInfo } from '@/api/types';
import { Ghost, PageView } from '@/parts/page';
import { t } from '@/strings/t';
import { lazy, Suspense } from 'react';
import { OperatorHome } from './operator-home';
import './situation.css';

const CertHome = lazy(() => import('./cert-home'));

/** The first page: what a CERT needs first is not what an operator needs first. */
export function Home() {
  const node = useQuery(reads.node());
  if (!node.data) return <PageView title={t('nav.situation')}><section className="panel"><Ghost rows={8} /></section></PageView>;
  const info: NodeInfo = node.data;
  return info.node.kind === 'cert' ? <Suspense><CertHome info={info} /></Suspense> : <OperatorHome info={info} />;
}
