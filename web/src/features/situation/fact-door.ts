// Where a fact leads, and its icon.
import type { Fact } from '@/api/types';
import type { IconName } from '@/parts/icon';

const ICONS: Record<string, IconName> = {
  'gateway.edge_connected': 'watch',
  'gateway.enforcement_changed': 'block',
  'assets.device_seen': 'device',
  'assets.device_changed': 'device',
  'detection.learning_restarted': 'shield',
  'detection.model_trained': 'shield',
  'detection.finding_raised': 'finding',
  'detection.finding_updated': 'finding',
  'incidents.opened': 'incident',
  'incidents.changed': 'incident',
  'incidents.acknowledged': 'check',
  'playbooks.proposed': 'playbook',
  'playbooks.proposal_decided': 'playbook',
  'playbooks.automation_changed': 'shield',
  'playbooks.question_answered': 'playbook',
  'playbooks.question_passed_on': 'playbook',
  'playbooks.delegation_changed': 'key',
  'playbooks.key_changed': 'key',
  'playbooks.secret_changed': 'key',
  'playbooks.run_started': 'playbook',
  'playbooks.step_finished': 'playbook',
  'playbooks.run_finished': 'playbook',
  'cti.share_decided': 'share',
  'cti.share_moved': 'share',
  'cti.incident_received': 'share',
  'identity.access_noted': 'key',
};

export function iconOf(kind: string): IconName {
  return ICONS[kind] ?? 'info';
}

/** The page about a fact's subject; facts about nothing with a page have none. */
export function doorOf(fact: Fact): string | null {
  if (fact.kind === 'playbooks.automation_changed') return '/automation';
  if (fact.kind === 'playbooks.delegation_changed') return '/approvals';
  if (fact.kind === 'playbooks.proposed') return '/approvals';
  const rooms: Record<string, string> = {
    'assets.device_seen': '/devices/',
    'assets.device_changed': '/devices/',
    'detection.learning_restarted': '/devices/',
    'detection.model_trained': '/devices/',
    'detection.finding_raised': '/findings/',
    'detection.finding_updated': '/findings/',
    'incidents.opened': '/incidents/',
    'incidents.changed': '/incidents/',
    'incidents.acknowledged': '/incidents/',
    'cti.incident_received': '/incidents/',
    'playbooks.run_started': '/runs/',
    'playbooks.step_finished': '/runs/',
    'playbooks.run_finished': '/runs/',
    'cti.share_decided': '/shares/',
    'cti.share_moved': '/shares/',
  };
  const room = rooms[fact.kind];
  return room ? `${room}${encodeURIComponent(fact.subject)}` : null;
}
