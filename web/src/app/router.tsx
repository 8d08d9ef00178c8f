import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from '@tanstack/react-router';
import { rest } from '@/strings/t';
import { Root } from './root';
import { Broken, Lost } from './lost';

type Search = Record<string, string>;

/** Keeps the texts of the address bar's query; numbers a person typed become texts again. */
function texts(...names: string[]) {
  return (raw: Record<string, unknown>): Search =>
    Object.fromEntries(
      names.flatMap((name) => (typeof raw[name] === 'string' || typeof raw[name] === 'number' ? [[name, String(raw[name])]] : [])),
    );
}

const root = createRootRoute({ component: Root, notFoundComponent: Lost, validateSearch: texts('wall') });

/** A page, once its words are there. */
const later: typeof lazyRouteComponent = (load, name) => lazyRouteComponent(() => rest.then(load), name);

// Asked for beside the answer of who is there, so that it waits for nothing and the frame is painted without it.
const home = rest.then(() => import('@/features/situation/home'));
const Home = lazyRouteComponent(() => home, 'Home');

const page = createRoute;

const routes = [
  page({ getParentRoute: () => root, path: '/', component: Home }),
  page({ getParentRoute: () => root, path: '/incidents', validateSearch: texts('state', 'q', 'sort', 'cols'), component: later(() => import('@/features/incidents/list'), 'IncidentList') }),
  page({ getParentRoute: () => root, path: '/incidents/$id', component: later(() => import('@/features/incidents/page'), 'IncidentPage') }),
  page({ getParentRoute: () => root, path: '/findings', validateSearch: texts('device', 'q', 'view', 'sort', 'cols'), component: later(() => import('@/features/detection/findings'), 'FindingList') }),
  page({ getParentRoute: () => root, path: '/findings/$id', component: later(() => import('@/features/detection/finding'), 'FindingPage') }),
  page({ getParentRoute: () => root, path: '/devices', validateSearch: texts('kind', 'q'), component: later(() => import('@/features/assets/devices'), 'DeviceList') }),
  page({ getParentRoute: () => root, path: '/devices/$id', component: later(() => import('@/features/assets/device'), 'DevicePage') }),
  page({ getParentRoute: () => root, path: '/models', component: later(() => import('@/features/detection/models'), 'ModelList') }),
  page({ getParentRoute: () => root, path: '/models/$id', validateSearch: texts('a', 'b'), component: later(() => import('@/features/detection/versions'), 'VersionsPage') }),
  page({ getParentRoute: () => root, path: '/commands', component: later(() => import('@/features/detection/commands/list'), 'MachineList') }),
  page({ getParentRoute: () => root, path: '/commands/$edge', component: later(() => import('@/features/detection/commands/page'), 'MachinePage') }),
  page({ getParentRoute: () => root, path: '/laws/$edge/$protocol', component: later(() => import('@/features/detection/commands/law'), 'LawPage') }),
  page({ getParentRoute: () => root, path: '/suppressions', validateSearch: texts('all'), component: later(() => import('@/features/detection/suppressions'), 'SuppressionList') }),
  page({ getParentRoute: () => root, path: '/evaluations', component: later(() => import('@/features/detection/evaluations'), 'EvaluationList') }),
  page({ getParentRoute: () => root, path: '/evaluations/$id', validateSearch: texts('scenario', 'curve'), component: later(() => import('@/features/detection/evaluation'), 'EvaluationPage') }),
  page({ getParentRoute: () => root, path: '/playbooks', component: later(() => import('@/features/playbooks/list'), 'PlaybookList') }),
  page({ getParentRoute: () => root, path: '/playbooks/new', validateSearch: texts('step', 'view', 'part'), component: later(() => import('@/features/playbooks/editor/page'), 'NewPlaybookPage') }),
  page({ getParentRoute: () => root, path: '/playbooks/$id/edit', validateSearch: texts('step', 'view', 'part'), component: later(() => import('@/features/playbooks/editor/page'), 'EditPlaybookPage') }),
  page({ getParentRoute: () => root, path: '/playbooks/$id', component: later(() => import('@/features/playbooks/playbook'), 'PlaybookPage') }),
  page({ getParentRoute: () => root, path: '/approvals', component: later(() => import('@/features/playbooks/approvals'), 'ApprovalsPage') }),
  page({ getParentRoute: () => root, path: '/automation', component: later(() => import('@/features/automation/page'), 'AutomationPage') }),
  page({ getParentRoute: () => root, path: '/actuators', component: later(() => import('@/features/automation/actuators'), 'ActuatorsPage') }),
  page({ getParentRoute: () => root, path: '/playbook-keys', component: later(() => import('@/features/automation/keys'), 'PlaybookKeysPage') }),
  page({ getParentRoute: () => root, path: '/runs/$id', validateSearch: texts('view'), component: later(() => import('@/features/playbooks/run'), 'RunPage') }),
  page({ getParentRoute: () => root, path: '/shares', component: later(() => import('@/features/cti/shares'), 'ShareList') }),
  page({ getParentRoute: () => root, path: '/shares/$id', component: later(() => import('@/features/cti/share'), 'SharePage') }),
  page({ getParentRoute: () => root, path: '/intel', validateSearch: texts('value'), component: later(() => import('@/features/cti/lookup'), 'LookupPage') }),
  page({ getParentRoute: () => root, path: '/knowledge', validateSearch: texts('q', 'at'), component: later(() => import('@/features/knowledge/search'), 'KnowledgePage') }),
  page({ getParentRoute: () => root, path: '/knowledge/report', component: later(() => import('@/features/knowledge/report'), 'ReportPage') }),
  page({ getParentRoute: () => root, path: '/knowledge/import', validateSearch: texts('id'), component: later(() => import('@/features/knowledge/import'), 'ImportPage') }),
  page({ getParentRoute: () => root, path: '/knowledge/rules', component: later(() => import('@/features/knowledge/rules'), 'RulesPage') }),
  page({ getParentRoute: () => root, path: '/backups', component: later(() => import('@/features/backups/page'), 'BackupsPage') }),
  page({ getParentRoute: () => root, path: '/webhooks', component: later(() => import('@/features/webhooks/list'), 'WebhooksPage') }),
  page({ getParentRoute: () => root, path: '/knowledge/$id', validateSearch: texts('at'), component: later(() => import('@/features/knowledge/object'), 'KnowledgeObject') }),
  page({ getParentRoute: () => root, path: '/graph', validateSearch: texts('id', 'open', 'to', 'at'), component: later(() => import('@/features/knowledge/graph'), 'GraphPage') }),
  page({ getParentRoute: () => root, path: '/matrix', validateSearch: texts('domain'), component: later(() => import('@/features/knowledge/matrix'), 'MatrixPage') }),
  page({ getParentRoute: () => root, path: '/feeds', component: later(() => import('@/features/feeds/list'), 'FeedsPage') }),
  page({ getParentRoute: () => root, path: '/collections', component: later(() => import('@/features/cti/collections'), 'CollectionsPage') }),
  page({ getParentRoute: () => root, path: '/communities', component: later(() => import('@/features/communities/list'), 'CommunitiesPage') }),
  page({ getParentRoute: () => root, path: '/communities/$id', component: later(() => import('@/features/communities/page'), 'CommunityPage') }),
  page({ getParentRoute: () => root, path: '/policies', component: later(() => import('@/features/communities/policies'), 'PoliciesPage') }),
  page({ getParentRoute: () => root, path: '/preview', validateSearch: texts('q', 'id', 'to'), component: later(() => import('@/features/communities/preview'), 'PreviewPage') }),
  page({ getParentRoute: () => root, path: '/exchange', component: later(() => import('@/features/federation/exchange'), 'ExchangePage') }),
  page({ getParentRoute: () => root, path: '/exchange/$id', component: later(() => import('@/features/federation/share'), 'ObjectSharePage') }),
  page({ getParentRoute: () => root, path: '/retractions/$id', component: later(() => import('@/features/federation/retraction'), 'RetractionPage') }),
  page({ getParentRoute: () => root, path: '/ledger', validateSearch: texts('subject'), component: later(() => import('@/features/accountability/ledger'), 'LedgerPage') }),
  page({ getParentRoute: () => root, path: '/ledger/$index', component: later(() => import('@/features/accountability/proof'), 'ProofPage') }),
  page({ getParentRoute: () => root, path: '/gateways', component: later(() => import('@/features/gateway/page'), 'GatewayPage') }),
  page({ getParentRoute: () => root, path: '/gateways/$name', validateSearch: texts('list'), component: later(() => import('@/features/gateway/one'), 'OneGatewayPage') }),
  page({ getParentRoute: () => root, path: '/recovery', validateSearch: texts('service', 'order'), component: later(() => import('@/features/recovery/page'), 'RecoveryPage') }),
  page({ getParentRoute: () => root, path: '/sites', validateSearch: texts('view', 'site'), component: later(() => import('@/features/sites/page'), 'SitesPage') }),
  page({ getParentRoute: () => root, path: '/figures', validateSearch: texts('days', 'from', 'to'), component: later(() => import('@/features/figures/page'), 'FiguresPage') }),
  page({ getParentRoute: () => root, path: '/glossary', validateSearch: texts('q'), component: later(() => import('@/features/glossary/page'), 'GlossaryPage') }),
  page({ getParentRoute: () => root, path: '/health', component: later(() => import('@/features/health/page'), 'HealthPage') }),
  page({ getParentRoute: () => root, path: '/about', component: later(() => import('@/features/knowledge/about'), 'AboutPage') }),
  page({ getParentRoute: () => root, path: '/access', component: later(() => import('@/features/identity/access'), 'AccessPage') }),
  page({ getParentRoute: () => root, path: '/search', validateSearch: texts('q', 'kind'), component: later(() => import('@/features/search/page'), 'SearchPage') }),
  page({ getParentRoute: () => root, path: '/preferences', component: later(() => import('@/features/preferences/page'), 'PreferencesPage') }),
  page({ getParentRoute: () => root, path: '/account', component: later(() => import('@/features/account/page'), 'AccountPage') }),
  page({ getParentRoute: () => root, path: '/people', component: later(() => import('@/features/identity/people'), 'PeoplePage') }),
  page({ getParentRoute: () => root, path: '/api-docs', validateSearch: texts('q', 'op'), component: later(() => import('@/features/apidocs/page'), 'ApiDocsPage') }),
  page({ getParentRoute: () => root, path: '/sign-in', component: Home }),
  page({ getParentRoute: () => root, path: '/first-run', component: Home }),
];

export const router = createRouter({
  routeTree: root.addChildren(routes),
  defaultPreload: 'intent',
  defaultErrorComponent: Broken,
  scrollRestoration: true,
});
