// A playbook as a text that people compare: the properties in the order of the standard's tables,
// those it does not know after them in their own order.
import { isObj, type Doc } from './document';

const COMMON = ['type', 'spec_version', 'id', 'name', 'description'];
const PLAYBOOK = [
  ...COMMON, 'playbook_types', 'playbook_activities', 'playbook_processing_summary', 'created_by', 'created', 'modified', 'revoked', 'valid_from', 'valid_until',
  'derived_from', 'related_to', 'priority', 'severity', 'impact', 'industry_sectors', 'labels', 'external_references', 'markings', 'playbook_variables',
  'workflow_start', 'workflow_exception', 'workflow', 'playbook_extensions', 'authentication_info_definitions', 'agent_definitions', 'target_definitions',
  'extension_definitions', 'data_marking_definitions', 'signatures',
];
const STEP = [
  ...COMMON, 'external_references', 'delay', 'timeout', 'step_variables', 'owner', 'condition', 'switch', 'commands', 'playbook_id', 'playbook_version', 'agent', 'targets', 'in_args', 'out_args',
  'next_steps', 'cases', 'on_true', 'on_false', 'on_completion', 'on_success', 'on_failure', 'step_extensions',
];
const VARIABLE = ['type', 'description', 'value', 'constant', 'external'];
const COMMAND = ['type', 'description', 'version', 'playbook_activity', 'external_references', 'command', 'command_b64', 'headers', 'content', 'content_b64', 'arguments'];
const PARTY = [...COMMON, 'address', 'port', 'category', 'sector', 'authentication_info', 'contact', 'location', 'agent_target_extensions'];

function ordered(value: unknown, names: string[], inner: Record<string, (value: unknown) => unknown> = {}): unknown {
  if (!isObj(value)) return value;
  const known = names.filter((name) => Object.hasOwn(value, name));
  const rest = Object.keys(value).filter((name) => !names.includes(name));
  return Object.fromEntries([...known, ...rest].map((name) => [name, Object.hasOwn(inner, name) ? inner[name]?.(value[name]) : value[name]]));
}

const eachOf = (order: (value: unknown) => unknown) => (value: unknown) =>
  isObj(value) ? Object.fromEntries(Object.entries(value).map(([key, one]) => [key, order(one)])) : value;
const listOf = (order: (value: unknown) => unknown) => (value: unknown) => (Array.isArray(value) ? value.map(order) : value);
const variables = eachOf((one) => ordered(one, VARIABLE));
const parties = eachOf((one) => ordered(one, PARTY));
const step = (one: unknown) => ordered(one, STEP, { commands: listOf((command) => ordered(command, COMMAND)), step_variables: variables });

/** The same playbook, equal as JSON, in the order of the standard. */
export function inOrder(doc: Doc): Doc {
  return ordered(doc, PLAYBOOK, { playbook_variables: variables, workflow: eachOf(step), agent_definitions: parties, target_definitions: parties }) as Doc;
}

export const writePlaybook = (doc: Doc): string => `${JSON.stringify(inOrder(doc), null, 2)}\n`;
