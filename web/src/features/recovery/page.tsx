import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { reads } from '@/api/queries';
import { PageView } from '@/parts/page';
import { t } from '@/strings/pages';
import { Agents } from './agents';
import { LiftCases } from './cases';
import { HealthChecks } from './checks';
import { RecoveryOrders } from './orders';
import { ServicePanel } from './service';
import { headline } from './words';

/** What can be put back, what was, and which blocks end by themselves. */
export function RecoveryPage() {
  const search = useSearch({ strict: false }) as { service?: string; order?: string };
  const navigate = useNavigate();
  const agents = useQuery(reads.checkpointAgents());
  const cases = useQuery(reads.liftCases());
  const show = (next: { service?: string | undefined; order?: string | undefined }) => {
    const kept = Object.entries({ ...search, ...next }).filter((entry): entry is [string, string] => entry[1] !== undefined);
    void navigate({ to: '/recovery', search: Object.fromEntries(kept), replace: true, resetScroll: false });
  };
  const owner = agents.data?.find((agent) => agent.listing?.services.some((one) => one.service === search.service));
  const service = owner?.listing?.services.find((one) => one.service === search.service);
  return (
    <PageView title={agents.data && cases.data ? headline(agents.data, cases.data) : t('nav.recovery')} lead={t('recovery.lead')}>
      <div className="stack wide">
        <Agents onOpen={(name) => show({ service: name })} />
        {owner && service && <ServicePanel key={service.service} agent={owner.agent} service={service} onClose={() => show({ service: undefined })} onOrdered={(order) => show({ order })} />}
        <RecoveryOrders open={search.order} onOpen={(order) => show({ order })} />
        <LiftCases />
        <HealthChecks />
      </div>
    </PageView>
  );
}
