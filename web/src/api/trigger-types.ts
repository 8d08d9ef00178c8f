// Triggers as forms hold them.
import type { components } from './schema';
import type { AttackKind, AutomationLevel, Severity } from './types';

export type TriggerOn = 'incidents.opened' | 'incidents.received' | 'findings.raised' | 'intel.new' | 'intel.hit' | 'schedule' | 'webhook';
export type Weekday = components['schemas']['Weekday'];
/** A trigger as forms hold it: of the fields those that belong to `on`. */
export interface PlaybookTrigger {
  on: TriggerOn;
  level?: AutomationLevel | null;
  min_severity?: Severity;
  kinds?: AttackKind[];
  min_criticality?: Severity | null;
  origins?: string[];
  devices?: string[];
  places?: string[];
  device_types?: string[];
  known?: boolean;
  cooldown_s?: number | null;
  types?: string[];
  labels?: string[];
  sources?: string[];
  min_confidence?: number | null;
  tlp?: string;
  gather_s?: number | null;
  every_s?: number | null;
  at?: string | null;
  days?: Weekday[];
  zone_minutes?: number;
  catch_up?: 'once' | 'skip';
  overlap?: boolean;
  fields?: Record<string, string>;
  signed?: boolean;
}
