import { useQuery } from '@tanstack/react-query';
import { lazy, Suspense } from 'react';
import { reads } from '@/api/queries';
import { Ghost, PageView } from '@/parts/page';
import { t } from '@/strings/t';

const CertHome = lazy(() => import('./cert-home'));
const OperatorHome = lazy(() => import('./operator-home'));

const Waiting = () => <PageView title={t('nav.situation')}><section className="panel"><Ghost rows={8} /></section></PageView>;

/** The first page: what a CERT needs first is not what an operator needs first. */
export function Home() {
  const node = useQuery(reads.node());
  if (!node.data) return <Waiting />;
  return <Suspense fallback={<Waiting />}>{node.data.node.kind === 'cert' ? <CertHome info={node.data} /> : <OperatorHome info={node.data} />}</Suspense>;
}
