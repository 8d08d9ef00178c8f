// Reads of the situation, of sites and of figures: apart from `queries.ts`, so that the first page does not carry them.
import { queryOptions } from '@tanstack/react-query';
import { get, query } from './client';
import type { Page, Severity, Time, Tlp } from './types';

export type Standing = 'attention' | 'not_enforced' | 'blocked' | 'contained' | 'unwatched' | 'learning' | 'well' | 'empty';
export type OrganisationKind = 'operator' | 'cert' | 'developer' | 'assessor' | 'trainer' | 'other';
export const ORGANISATION_KINDS: OrganisationKind[] = ['operator', 'cert', 'developer', 'assessor', 'trainer', 'other'];

export interface SiteNow {
  id: string;
  name: string;
  kind: string;
  place: string | null;
  latitude: number | null;
  longitude: number | null;
  plan: string | null;
  plan_x: number | null;
  plan_y: number | null;
  standing: Standing;
  devices: number;
  by_standing: Partial<Record<Standing, number>>;
}

export interface DeviceNow {
  id: string;
  name: string;
  place: string | null;
  site: string | null;
  standing: Standing;
  incident: string | null;
  gateway: string | null;
  verb: string | null;
  since: Time | null;
  until: Time | null;
  reason: string;
}

export interface CaseLine {
  id: string;
  title: string;
  severity: Severity;
  state: string;
  tlp: Tlp;
  received: boolean;
  origin_name: string;
  acknowledged_by: string | null;
  opened_at: Time;
}

export interface Campaign {
  organisations: string[];
  peers: string[];
  techniques: string[];
  incidents: { id: string; title: string }[];
  first_at: Time;
  last_at: Time;
}

export interface SituationNow {
  at: Time;
  open: Record<string, number>;
  calling: CaseLine[];
  waiting: CaseLine[];
  received: CaseLine[];
  origins: { name: string; shared: number; acknowledged: number }[];
  campaigns: Campaign[];
  sites: SiteNow[];
  devices: DeviceNow[];
  standings: Partial<Record<Standing, number>>;
  more_devices: boolean;
  questions: { what: 'run' | 'proposal'; run: string | null; title: string; incident: string | null; since: Time }[];
  orders: { key: string; gateway: string; verb: string; target: string; why: string; since: Time | null; until: Time | null; enforced: boolean | null }[];
  gateways: number;
  gateways_connected: number;
  changes: { since: Time; opened: number; changed: number; at_most: number } | null;
  missing: string[];
}

export interface PlanSpot {
  layer: string;
  x: number;
  y: number;
}

export interface Site {
  id: string;
  name: string;
  kind: string;
  place: string | null;
  latitude: number | null;
  longitude: number | null;
  plan: PlanSpot | null;
  devices: number;
  updated_at: Time;
}

export interface Layer {
  id: string;
  name: string;
  form: 'geojson' | 'pmtiles' | 'plan';
  media: string;
  bytes: number;
  width: number | null;
  height: number | null;
  added_by: string;
  recorded_at: Time;
}

export interface Count {
  item: string;
  n: number;
}

export interface Took {
  bucket: string;
  n: number;
}

export interface Figures {
  from: string;
  to: string;
  findings: { day: string; low: number; medium: number; high: number; critical: number }[];
  detectors: Count[];
  kinds: Count[];
  states: Count[];
  severities: Count[];
  acknowledge: Took[];
  contain: Took[];
  recover: Took[];
  origins: Count[];
}

export const situationReads = {
  now: (since?: string | null) =>
    queryOptions({ queryKey: ['situation', since ?? ''], queryFn: () => get<SituationNow>(`/situation${query({ since })}`), refetchInterval: 5_000, placeholderData: (previous) => previous }),
  sites: () => queryOptions({ queryKey: ['sites'], queryFn: () => get<Page<Site>>(`/sites${query({ limit: 500 })}`) }),
  layers: () => queryOptions({ queryKey: ['sites', 'layers'], queryFn: async () => (await get<Page<Layer>>('/map/layers')).items }),
  figures: (from: string | undefined, to: string | undefined) =>
    queryOptions({ queryKey: ['figures', from ?? '', to ?? ''], queryFn: () => get<Figures>(`/figures${query({ from, to })}`), placeholderData: (previous) => previous, refetchInterval: 60_000 }),
};

/** Where a layer's bytes are. */
export const layerContent = (id: string): string => `/api/v1/map/layers/${encodeURIComponent(id)}/content`;
