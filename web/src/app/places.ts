// The places of the console: at most eight on the rail.
import { t } from '@/strings/t';
import type { IconName } from '@/parts/icon';

export interface Place {
  to: string;
  text: string;
  icon: IconName;
}

export const rail: Place[] = [
  { to: '/', text: t('nav.situation'), icon: 'watch' },
  { to: '/incidents', text: t('nav.incidents'), icon: 'incident' },
  { to: '/findings', text: t('nav.findings'), icon: 'finding' },
  { to: '/devices', text: t('nav.devices'), icon: 'device' },
  { to: '/playbooks', text: t('nav.playbooks'), icon: 'playbook' },
  { to: '/shares', text: t('nav.sharing'), icon: 'share' },
  { to: '/intel', text: t('nav.intel'), icon: 'intel' },
  { to: '/ledger', text: t('nav.ledger'), icon: 'ledger' },
];

export const more: Place[] = [
  { to: '/approvals', text: t('nav.approvals'), icon: 'check' },
  { to: '/automation', text: t('nav.automation'), icon: 'shield' },
  { to: '/actuators', text: t('nav.actuators'), icon: 'key' },
  { to: '/playbook-keys', text: t('nav.playbook_keys'), icon: 'key' },
  { to: '/knowledge', text: t('nav.knowledge'), icon: 'intel' },
  { to: '/matrix', text: t('nav.matrix'), icon: 'finding' },
  { to: '/feeds', text: t('nav.feeds'), icon: 'share' },
  { to: '/collections', text: t('nav.collections'), icon: 'share' },
  { to: '/exchange', text: t('nav.exchange'), icon: 'share' },
  { to: '/communities', text: t('nav.communities'), icon: 'share' },
  { to: '/policies', text: t('nav.policies'), icon: 'shield' },
  { to: '/preview', text: t('nav.preview'), icon: 'finding' },
  { to: '/webhooks', text: t('nav.webhooks'), icon: 'share' },
  { to: '/models', text: t('nav.models'), icon: 'shield' },
  { to: '/commands', text: t('nav.commands'), icon: 'command' },
  { to: '/suppressions', text: t('nav.suppressions'), icon: 'note' },
  { to: '/evaluations', text: t('nav.evaluations'), icon: 'check' },
  { to: '/gateways', text: t('nav.gateways'), icon: 'watch' },
  { to: '/recovery', text: t('nav.recovery'), icon: 'restart' },
  { to: '/health', text: t('nav.health'), icon: 'health' },
  { to: '/access', text: t('nav.access'), icon: 'key' },
  { to: '/account', text: t('nav.account'), icon: 'person' },
  { to: '/people', text: t('nav.people'), icon: 'person' },
  { to: '/about', text: t('nav.about'), icon: 'note' },
];
