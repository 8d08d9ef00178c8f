// Open vocabularies of CACAO v2.0: what is offered; any other word may be written.
import { STEP_TYPES } from '../model/document';
import { typeWord } from '../canvas/look';

export const COMMAND_TYPES = ['manual', 'http-api', 'ssh', 'bash', 'powershell', 'openc2-http', 'caldera-cmd', 'elastic', 'jupyter', 'kestrel', 'sigma', 'yara', 'x-sereno-actuator'] as const;
export const PARTY_TYPES = ['individual', 'group', 'organization', 'location', 'sector', 'http-api', 'linux', 'net-address', 'security-category', 'ssh', 'x-sereno-actuator'] as const;
export const VARIABLE_TYPES = ['string', 'bool', 'integer', 'long', 'float', 'ipv4-addr', 'ipv6-addr', 'mac-addr', 'uri', 'uuid', 'hash', 'md5-hash', 'sha256-hash', 'hexstring', 'dictionary'] as const;
export const PLAYBOOK_TYPES = ['attack', 'detection', 'engagement', 'investigation', 'mitigation', 'notification', 'prevention', 'remediation'] as const;
export const ACTIVITIES = [
  'compose-content', 'deliver-content', 'identify-audience', 'identify-channel', 'scan-system', 'match-indicator', 'analyze-collected-data', 'identify-indicators', 'scan-vulnerabilities', 'configure-systems',
  'restrict-access', 'disconnect-system', 'eliminate-risk', 'revert-system', 'restore-data', 'restore-capabilities', 'map-network', 'identify-steps', 'step-sequence', 'prepare-engagement', 'execute-operation', 'analyze-engagement-results',
] as const;

export const stepTypes = () => STEP_TYPES.map((type) => ({ value: type, text: typeWord(type) }));
