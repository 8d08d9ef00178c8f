// The places of the console: at most eight on the rail, by what kind of node this is; the rest under "More", in groups.
// A place that the person may not read is not offered.
import type { Me, NodeInfo } from '@/api/types';
import { t } from '@/strings/t';
import type { IconName } from '@/parts/icon';

export interface Place {
  to: string;
  text: string;
  icon: IconName;
  /** What one must be allowed to do to read it. */
  permission: string;
  group: Group;
}

export const GROUPS = ['watch', 'answer', 'share', 'know', 'node'] as const;
export type Group = (typeof GROUPS)[number];

const place = (to: string, text: string, icon: IconName, permission: string, group: Group): Place => ({ to, text, icon, permission, group });

export const places: Place[] = [
  place('/', t('nav.situation'), 'watch', 'session.read', 'watch'),
  place('/incidents', t('nav.incidents'), 'incident', 'incidents.read', 'answer'),
  place('/findings', t('nav.findings'), 'finding', 'detection.read', 'watch'),
  place('/devices', t('nav.devices'), 'device', 'assets.read', 'watch'),
  place('/playbooks', t('nav.playbooks'), 'playbook', 'playbooks.read', 'answer'),
  place('/shares', t('nav.sharing'), 'share', 'cti.read', 'share'),
  place('/intel', t('nav.intel'), 'intel', 'cti.read', 'know'),
  place('/ledger', t('nav.ledger'), 'ledger', 'accountability.read', 'node'),
  place('/approvals', t('nav.approvals'), 'check', 'playbooks.read', 'answer'),
  place('/automation', t('nav.automation'), 'shield', 'playbooks.read', 'answer'),
  place('/actuators', t('nav.actuators'), 'key', 'playbooks.read', 'answer'),
  place('/playbook-keys', t('nav.playbook_keys'), 'key', 'playbooks.read', 'answer'),
  place('/recovery', t('nav.recovery'), 'restart', 'recovery.read', 'answer'),
  place('/gateways', t('nav.gateways'), 'watch', 'gateway.read', 'watch'),
  place('/models', t('nav.models'), 'shield', 'detection.read', 'watch'),
  place('/commands', t('nav.commands'), 'command', 'detection.read', 'watch'),
  place('/suppressions', t('nav.suppressions'), 'note', 'detection.read', 'watch'),
  place('/evaluations', t('nav.evaluations'), 'check', 'detection.read', 'watch'),
  place('/knowledge', t('nav.knowledge'), 'intel', 'knowledge.read', 'know'),
  place('/matrix', t('nav.matrix'), 'finding', 'knowledge.read', 'know'),
  place('/feeds', t('nav.feeds'), 'share', 'feeds.read', 'know'),
  place('/collections', t('nav.collections'), 'share', 'taxii.read', 'share'),
  place('/exchange', t('nav.exchange'), 'share', 'federation.read', 'share'),
  place('/communities', t('nav.communities'), 'share', 'communities.read', 'share'),
  place('/policies', t('nav.policies'), 'shield', 'sharing.read', 'share'),
  place('/preview', t('nav.preview'), 'finding', 'sharing.read', 'share'),
  place('/webhooks', t('nav.webhooks'), 'share', 'webhooks.list', 'share'),
  place('/sites', t('nav.sites'), 'device', 'assets.read', 'watch'),
  place('/figures', t('nav.figures'), 'finding', 'situation.read', 'watch'),
  place('/backups', t('nav.backups'), 'shield', 'backups.list', 'node'),
  place('/health', t('nav.health'), 'health', 'doctor.read', 'node'),
  place('/access', t('nav.access'), 'key', 'access.read', 'node'),
  place('/account', t('nav.account'), 'person', 'session.read', 'node'),
  place('/people', t('nav.people'), 'person', 'users.list', 'node'),
  place('/preferences', t('nav.preferences'), 'person', 'session.read', 'node'),
  place('/api-docs', t('nav.api_docs'), 'note', 'session.read', 'node'),
  place('/glossary', t('nav.glossary'), 'note', 'session.read', 'node'),
  place('/about', t('nav.about'), 'note', 'session.read', 'node'),
];

const AT_A_CERT = ['/', '/incidents', '/shares', '/knowledge', '/intel', '/communities', '/feeds', '/ledger'];
const ELSEWHERE = ['/', '/incidents', '/findings', '/devices', '/playbooks', '/gateways', '/shares', '/ledger'];

export const may = (me: Me | undefined, permission: string): boolean =>
  me === undefined || permission === 'session.read' || me.roles.includes('administrator') || me.permissions.includes(permission);

/** What stands on the rail, and what under "More". */
export function placesFor(kind: NodeInfo['node']['kind'], me: Me | undefined): { rail: Place[]; more: Place[] } {
  const own = kind === 'cert' ? AT_A_CERT : ELSEWHERE;
  const allowed = places.filter((one) => may(me, one.permission));
  return { rail: own.flatMap((to) => allowed.filter((one) => one.to === to)), more: allowed.filter((one) => !own.includes(one.to)) };
}

/** The place that an address belongs to. */
export const placeOf = (path: string): Place | undefined => places.find((one) => one.to !== '/' && (path === one.to || path.startsWith(`${one.to}/`)));
