import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from '@tanstack/react-router';
import { Home } from '@/features/situation/home';
import { Root } from './root';
import { Lost } from './lost';

const root = createRootRoute({ component: Root, notFoundComponent: Lost });

type Search = Record<string, string>;

/** Keeps the texts of the address bar's query; numbers a person typed become texts again. */
function texts(...names: string[]) {
  return (raw: Record<string, unknown>): Search =>
    Object.fromEntries(
      names.flatMap((name) => (typeof raw[name] === 'string' || typeof raw[name] === 'number' ? [[name, String(raw[name])]] : [])),
    );
}

const page = createRoute;

const routes = [
  page({ getParentRoute: () => root, path: '/', component: Home }),
  page({ getParentRoute: () => root, path: '/incidents', validateSearch: texts('state', 'q', 'sort', 'cols'), component: lazyRouteComponent(() => import('@/features/incidents/list'), 'IncidentList') }),
  page({ getParentRoute: () => root, path: '/incidents/$id', component: lazyRouteComponent(() => import('@/features/incidents/page'), 'IncidentPage') }),
  page({ getParentRoute: () => root, path: '/findings', validateSearch: texts('device', 'q', 'view', 'sort', 'cols'), component: lazyRouteComponent(() => import('@/features/detection/findings'), 'FindingList') }),
  page({ getParentRoute: () => root, path: '/findings/$id', component: lazyRouteComponent(() => import('@/features/detection/finding'), 'FindingPage') }),
  page({ getParentRoute: () => root, path: '/devices', validateSearch: texts('kind', 'q'), component: lazyRouteComponent(() => import('@/features/assets/devices'), 'DeviceList') }),
  page({ getParentRoute: () => root, path: '/devices/$id', component: lazyRouteComponent(() => import('@/features/assets/device'), 'DevicePage') }),
  page({ getParentRoute: () => root, path: '/models', component: lazyRouteComponent(() => import('@/features/detection/models'), 'ModelList') }),
  page({ getParentRoute: () => root, path: '/models/$id', validateSearch: texts('a', 'b'), component: lazyRouteComponent(() => import('@/features/detection/versions'), 'VersionsPage') }),
  page({ getParentRoute: () => root, path: '/commands', component: lazyRouteComponent(() => import('@/features/detection/commands/list'), 'MachineList') }),
  page({ getParentRoute: () => root, path: '/commands/$edge', component: lazyRouteComponent(() => import('@/features/detection/commands/page'), 'MachinePage') }),
  page({ getParentRoute: () => root, path: '/laws/$edge/$protocol', component: lazyRouteComponent(() => import('@/features/detection/commands/law'), 'LawPage') }),
  page({ getParentRoute: () => root, path: '/suppressions', validateSearch: texts('all'), component: lazyRouteComponent(() => import('@/features/detection/suppressions'), 'SuppressionList') }),
  page({ getParentRoute: () => root, path: '/evaluations', component: lazyRouteComponent(() => import('@/features/detection/evaluations'), 'EvaluationList') }),
  page({ getParentRoute: () => root, path: '/evaluations/$id', validateSearch: texts('scenario', 'curve'), component: lazyRouteComponent(() => import('@/features/detection/evaluation'), 'EvaluationPage') }),
  page({ getParentRoute: () => root, path: '/playbooks', component: lazyRouteComponent(() => import('@/features/playbooks/list'), 'PlaybookList') }),
  page({ getParentRoute: () => root, path: '/playbooks/new', validateSearch: texts('step', 'view', 'part'), component: lazyRouteComponent(() => import('@/features/playbooks/editor/page'), 'NewPlaybookPage') }),
  page({ getParentRoute: () => root, path: '/playbooks/$id/edit', validateSearch: texts('step', 'view', 'part'), component: lazyRouteComponent(() => import('@/features/playbooks/editor/page'), 'EditPlaybookPage') }),
  page({ getParentRoute: () => root, path: '/playbooks/$id', component: lazyRouteComponent(() => import('@/features/playbooks/playbook'), 'PlaybookPage') }),
  page({ getParentRoute: () => root, path: '/approvals', component: lazyRouteComponent(() => import('@/features/playbooks/approvals'), 'ApprovalsPage') }),
  page({ getParentRoute: () => root, path: '/automation', component: lazyRouteComponent(() => import('@/features/automation/page'), 'AutomationPage') }),
  page({ getParentRoute: () => root, path: '/actuators', component: lazyRouteComponent(() => import('@/features/automation/actuators'), 'ActuatorsPage') }),
  page({ getParentRoute: () => root, path: '/playbook-keys', component: lazyRouteComponent(() => import('@/features/automation/keys'), 'PlaybookKeysPage') }),
  page({ getParentRoute: () => root, path: '/runs/$id', validateSearch: texts('view'), component: lazyRouteComponent(() => import('@/features/playbooks/run'), 'RunPage') }),
  page({ getParentRoute: () => root, path: '/shares', component: lazyRouteComponent(() => import('@/features/cti/shares'), 'ShareList') }),
  page({ getParentRoute: () => root, path: '/shares/$id', component: lazyRouteComponent(() => import('@/features/cti/share'), 'SharePage') }),
  page({ getParentRoute: () => root, path: '/intel', validateSearch: texts('value'), component: lazyRouteComponent(() => import('@/features/cti/lookup'), 'LookupPage') }),
  page({ getParentRoute: () => root, path: '/knowledge', validateSearch: texts('q', 'at'), component: lazyRouteComponent(() => import('@/features/knowledge/search'), 'KnowledgePage') }),
  page({ getParentRoute: () => root, path: '/knowledge/report', component: lazyRouteComponent(() => import('@/features/knowledge/report'), 'ReportPage') }),
  page({ getParentRoute: () => root, path: '/knowledge/import', validateSearch: texts('id'), component: lazyRouteComponent(() => import('@/features/knowledge/import'), 'ImportPage') }),
  page({ getParentRoute: () => root, path: '/knowledge/rules', component: lazyRouteComponent(() => import('@/features/knowledge/rules'), 'RulesPage') }),
  page({ getParentRoute: () => root, path: '/webhooks', component: lazyRouteComponent(() => import('@/features/webhooks/list'), 'WebhooksPage') }),
  page({ getParentRoute: () => root, path: '/knowledge/$id', validateSearch: texts('at'), component: lazyRouteComponent(() => import('@/features/knowledge/object'), 'KnowledgeObject') }),
  page({ getParentRoute: () => root, path: '/graph', validateSearch: texts('id', 'open', 'to', 'at'), component: lazyRouteComponent(() => import('@/features/knowledge/graph'), 'GraphPage') }),
  page({ getParentRoute: () => root, path: '/matrix', validateSearch: texts('domain'), component: lazyRouteComponent(() => import('@/features/knowledge/matrix'), 'MatrixPage') }),
  page({ getParentRoute: () => root, path: '/feeds', component: lazyRouteComponent(() => import('@/features/feeds/list'), 'FeedsPage') }),
  page({ getParentRoute: () => root, path: '/collections', component: lazyRouteComponent(() => import('@/features/cti/collections'), 'CollectionsPage') }),
  page({ getParentRoute: () => root, path: '/communities', component: lazyRouteComponent(() => import('@/features/communities/list'), 'CommunitiesPage') }),
  page({ getParentRoute: () => root, path: '/communities/$id', component: lazyRouteComponent(() => import('@/features/communities/page'), 'CommunityPage') }),
  page({ getParentRoute: () => root, path: '/policies', component: lazyRouteComponent(() => import('@/features/communities/policies'), 'PoliciesPage') }),
  page({ getParentRoute: () => root, path: '/preview', validateSearch: texts('q', 'id', 'to'), component: lazyRouteComponent(() => import('@/features/communities/preview'), 'PreviewPage') }),
  page({ getParentRoute: () => root, path: '/exchange', component: lazyRouteComponent(() => import('@/features/federation/exchange'), 'ExchangePage') }),
  page({ getParentRoute: () => root, path: '/exchange/$id', component: lazyRouteComponent(() => import('@/features/federation/share'), 'ObjectSharePage') }),
  page({ getParentRoute: () => root, path: '/retractions/$id', component: lazyRouteComponent(() => import('@/features/federation/retraction'), 'RetractionPage') }),
  page({ getParentRoute: () => root, path: '/ledger', validateSearch: texts('subject'), component: lazyRouteComponent(() => import('@/features/accountability/ledger'), 'LedgerPage') }),
  page({ getParentRoute: () => root, path: '/ledger/$index', component: lazyRouteComponent(() => import('@/features/accountability/proof'), 'ProofPage') }),
  page({ getParentRoute: () => root, path: '/gateways', component: lazyRouteComponent(() => import('@/features/gateway/page'), 'GatewayPage') }),
  page({ getParentRoute: () => root, path: '/gateways/$name', validateSearch: texts('list'), component: lazyRouteComponent(() => import('@/features/gateway/one'), 'OneGatewayPage') }),
  page({ getParentRoute: () => root, path: '/recovery', validateSearch: texts('service', 'order'), component: lazyRouteComponent(() => import('@/features/recovery/page'), 'RecoveryPage') }),
  page({ getParentRoute: () => root, path: '/health', component: lazyRouteComponent(() => import('@/features/health/page'), 'HealthPage') }),
  page({ getParentRoute: () => root, path: '/about', component: lazyRouteComponent(() => import('@/features/knowledge/about'), 'AboutPage') }),
  page({ getParentRoute: () => root, path: '/access', component: lazyRouteComponent(() => import('@/features/identity/access'), 'AccessPage') }),
  page({ getParentRoute: () => root, path: '/sign-in', component: Home }),
  page({ getParentRoute: () => root, path: '/first-run', component: Home }),
];

export const router = createRouter({
  routeTree: root.addChildren(routes),
  defaultPreload: 'intent',
  scrollRestoration: true,
});
