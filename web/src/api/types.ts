// The shapes of the contract, from `schema.d.ts` (generated from openapi.json by `npm run types`).
// Narrowed here where the contract says only "text" or "object" and the model says more; a field that
// leaves the contract stops the build.
import type { PlaybookTrigger } from './trigger-types';
import type { components } from './schema';

type Schemas = components['schemas'];

/** The node writes `null` for what is absent, never leaves it out. */
type Whole<T> = { [K in keyof T]-?: Exclude<T[K], undefined> };
export type Narrow<T, N extends { [K in keyof N]: K extends keyof T ? unknown : never }> = Omit<Whole<T>, keyof N> & N;

export type Time = string;
export type Id = string;

export interface Page<T> {
  items: T[];
  next: string | null;
  total?: number | null;
}

export type Problem = Partial<Schemas['Problem']> & { title: string; status: number; instance?: string | null };

export type Severity = 'low' | 'medium' | 'high' | 'critical';
export type Tlp = 'TLP:CLEAR' | 'TLP:GREEN' | 'TLP:AMBER' | 'TLP:AMBER+STRICT' | 'TLP:RED';

export type NodeInfo = Narrow<Schemas['NodeView'], {
  node: Narrow<Schemas['NodeName'], { kind: 'operator' | 'cert' | 'developer' | 'assessor' | 'trainer' | 'other' }>;
  signed_in: Whole<Schemas['SignedIn']> | null;
  demo: Whole<Schemas['DemoView']> | null;
}>;
export interface FoundEverything {
  q: string;
  kinds: { kind: string; items: { id: string; title: string; detail: string; path: string; at: Time | null }[]; more: boolean; incomplete: boolean }[];
}
export type Me = Whole<Schemas['Me']>;
export type Fact = Narrow<Schemas['FactView'], { payload: unknown }>;
export type Component = Narrow<Schemas['Component'], { state: 'ok' | 'degraded' | 'failed' | 'absent' }>;

export type WatchState =
  | { state: 'learning'; progress: number }
  | { state: 'training'; progress: number }
  | { state: 'watching' }
  | { state: 'unprotected'; reason: string };
export type Device = Narrow<Omit<Schemas['DeviceView'], 'watch'>, { role: 'unknown' | 'protected' | 'infrastructure'; criticality: Severity }>;
export type Watched = Narrow<Schemas['WatchedDevice'], { state: WatchState; learning: Whole<Schemas['LearningView']> }>;
export type ScorePoint = Whole<Schemas['Point']>;

export type Reason = Whole<Schemas['ReasonView']>;
export type Evidence = Whole<Schemas['EvidenceView']>;
export type Technique = Whole<Schemas['TechniqueView']>;
export type AttackKind =
  | 'scan' | 'flood' | 'command_and_control' | 'brute_force' | 'exfiltration' | 'lateral_movement'
  | 'false_command' | 'replay' | 'man_in_the_middle' | 'model_attack' | 'anomaly';
export type Finding = Narrow<Schemas['FindingView'], {
  kind: AttackKind;
  severity: Severity;
  why: Reason[];
  evidence: Evidence[];
  techniques: Technique[];
}>;
export type FindingDetail = Finding & {
  group: Id | null;
  feedback: Whole<Schemas['JudgedView']> | null;
  capture: Whole<Schemas['CaptureView']> | null;
  commands: UnusualCommand[];
  commands_beyond: number;
  counts: Whole<Schemas['CountView']>[];
};
export type UnusualCommand = Whole<Schemas['CommandView']>;
export type MachineModel = Narrow<Schemas['MachineView'], { state: WatchState }>;
export type MachineVersion = Narrow<Schemas['MachineVersion'], { state: 'active' | 'retired'; origin: 'learned' | 'edited' | 'taught' }>;
export type LawModel = Narrow<Schemas['LawView'], { state: WatchState }>;
export type LawModelDetail = Narrow<Schemas['LawModelView'], { now: LawModel; speakers: Whole<Schemas['Speaker']>[]; broken_in_training: Whole<Schemas['BrokenInTraining']>[]; versions: Whole<Schemas['LawVersion']>[] }>;
export type MachineText = Whole<Schemas['TextView']>;
export type FindingGroup = Narrow<Schemas['GroupView'], { kind: AttackKind; severity: Severity }>;
export type Suppression = Whole<Schemas['SuppressionView']>;
export type ModelVersion = Narrow<Schemas['ModelVersion'], { state: 'active' | 'candidate' | 'retired' | 'refused' }>;
export type Comparison = Whole<Schemas['Comparison']>;

/** Figures over seeds. */
export interface SpreadFigure {
  min: number;
  median: number;
  max: number;
}
export interface Course {
  /** Start of the window, Unix seconds. */
  start: number;
  score: number;
  attack: boolean;
}
/** A subject of the report `sereno-evaluation`, version 1; what cannot be said is left out. */
export interface Subject {
  device?: string | null;
  positive: number;
  negative: number;
  auc?: SpreadFigure | null;
  tpr?: SpreadFigure | null;
  fpr?: SpreadFigure | null;
  balanced_accuracy?: SpreadFigure | null;
  delay_windows?: SpreadFigure | null;
  false_alarms?: SpreadFigure | null;
  false_alarms_correlated?: SpreadFigure | null;
  benign_days: number;
  roc: number[][];
  course: Course[];
}
export interface Scenario {
  name: string;
  description: string;
  source: string;
  licence: string;
  failed?: string | null;
  training: { warnings: string[] };
  test: { labelled: boolean; notes: string[] };
  detectors: { detector: string; about: string; failed?: string | null; training_s?: SpreadFigure | null; window_us?: SpreadFigure | null; subjects: Subject[] }[];
}
export type Evaluation = Whole<Schemas['EvaluationView']>;
export type EvaluationDetail = Evaluation & {
  short: string[];
  report: { program: string; seeds: number; alpha: number; window_s: number; rules: string[]; scenarios: Scenario[] };
};

/** What one sensor knows of a device, and the addresses it was seen under. */
export type DeviceEvidence = Narrow<Schemas['DeviceEvidence'], {
  identity: Whole<Schemas['IdentityRow']>[];
  known: Narrow<Schemas['KnownView'], { facts: Whole<Schemas['FactRow']>[] }>[];
}>;

export interface SourceState {
  epoch: number;
  at: Time | null;
  start: Time | null;
  end: Time | null;
  sent: number;
  total: number;
  speed: number;
  paused: boolean;
  finished: boolean;
}
export type Source = { source: 'live'; interface: string } | { source: 'replay'; capture: string; through_gateway: boolean };
export type Gateway = Narrow<Schemas['GatewayView'], { source: Source; replay: SourceState | null }>;
export interface Count {
  packets: number;
  bytes: number;
}
/** `seen = passed + dropped`; a reason that is absent dropped none. */
export interface GatewayTotals {
  seen: Count;
  passed: Count;
  dropped: Record<string, Count>;
  would_drop: Record<string, Count>;
}
/** How a gateway judges single packets. */
export interface Judging {
  judged: number;
  packet_ns: number;
  waiting: number;
  may_wait: number;
  flood: boolean;
  floods: number;
  batch: number;
  suspects: number;
}
/** Newest counters of one device. */
export interface DeviceCounts {
  /** At a router its internet address. */
  mac: string;
  forwarded_packets: number;
  forwarded_bytes: number;
  dropped_packets: number;
  dropped_bytes: number;
  blocked: boolean;
  reasons: Record<string, Count>;
}
/** An order in force, as the kernel shows it. */
export interface Standing {
  key: string;
  verb: OrderVerb;
  target: string;
  why: string;
  left_s: number;
  caught: Count;
  dry_run: boolean;
}
export type GatewayPolicy = Narrow<Schemas['PolicyView'], { mode: 'watch' | 'dry_run' | 'enforce'; fail: 'open' | 'closed' }>;
export type GatewayDetail = Narrow<Schemas['GatewayDetail'], { policy: GatewayPolicy; totals: GatewayTotals | null; standing: Standing[]; judging: Judging | null; devices: DeviceCounts[] }>;
export type PolicyChange = Whole<Schemas['Page_PolicyChange']['items'][number]>;
export interface AllowEntry {
  /** Network of the other end. */
  peer: string;
  /** IP protocol number. */
  protocol: number | null;
  port: number | null;
  local_port: number | null;
}
export type AllowRow = AllowEntry & { source: 'learned' | 'mud' | 'hand'; packets: number; first_seen: Time; last_seen: Time };
export type AllowList = Narrow<Schemas['Page_AllowListView']['items'][number], { state: 'learning' | 'frozen' | 'off'; entries: AllowRow[] }>;
export type MudReading = Narrow<Schemas['Mud'], { entries: AllowEntry[] }>;
export type CounterPoint = Whole<Schemas['CounterPoint']>;

/** One line of the live topic `counters`. */
export type DeviceCounters = Omit<CounterPoint, 'at' | 'event_at'>;

export type Outcome =
  | { outcome: 'done'; summary: string; data?: unknown }
  | { outcome: 'not_enforced'; reason: string; data?: unknown }
  | { outcome: 'failed'; reason: string; retry: boolean };
export type OrderVerb = 'block' | 'allow' | 'rate_limit' | 'quarantine' | 'redirect' | 'suspect' | 'release' | 'undo';
export interface Target {
  mac: string | null;
  addresses: string[];
}
/** Traffic between two ends; what is null does not matter. */
export interface Flow {
  local: string | null;
  remote: string | null;
  /** IP protocol number. */
  protocol: number | null;
  local_port: number | null;
  remote_port: number | null;
  direction: 'out' | 'in' | null;
}
export type Order = Narrow<Schemas['OrderView'], {
  verb: OrderVerb;
  details: Record<string, unknown>;
  flow: Flow | null;
  target: Target;
  state: 'waiting' | 'sent' | 'done';
  outcome: Outcome | null;
}>;

export type IncidentState = 'new' | 'triaged' | 'contained' | 'closed' | 'false_alarm';
export type Incident = Narrow<Schemas['IncidentShape'], { state: IncidentState; severity: Severity; tlp: Tlp }>;
export type TimelineItem = Whole<Schemas['TimelineShape']>;
export type Milestones = Whole<Schemas['Milestones']>;
export type IncidentDetail = Narrow<Schemas['IncidentWhole'], {
  milestones: Milestones;
  incident: Incident;
  findings: Finding[];
  timeline: TimelineItem[];
  allowed_states: IncidentState[];
}>;

export type Playbook = Whole<Schemas['PlaybookView']>;
export type PlaybookDetail = Playbook & { playbook: unknown; in_words?: string; triggers: PlaybookTriggerState[]; report?: PlaybookReport };
export type AutomationLevel = Schemas['AutomationLevel'];
export type * from './trigger-types';
export type * from './backup-types';
export type PlaybookTriggerState = Narrow<Schemas['PlaybookTriggerState'], { trigger: PlaybookTrigger }>;
export type PlaybookTriggerMade = PlaybookTriggerState & { secret?: string };
export type Automation = Narrow<Schemas['Automation'], {
  levels: Partial<Record<Severity, AutomationLevel>>;
  quiet: Whole<Schemas['QuietHours']>[];
  limits: Whole<Schemas['AutomationLimit']>[];
  never: Whole<Schemas['NeverTouched']>[];
  two_persons_from: Severity | null;
  mail_links: Whole<Schemas['MailLinks']>;
  stopped: Whole<Schemas['AutomationStopped']> | null;
}>;
export type AnswerMail = Whole<Schemas['AnswerMail']>;
export type AskedView = Schemas['AskedView'];
export type Delegation = Whole<Schemas['DelegationView']>;
export type Proposal = Whole<Schemas['ProposalView']>;
export type ResponseCandidate = Whole<Schemas['ResponseCandidate']>;
export type Actuator = Whole<Schemas['ActuatorView']>;
export type ActuatorTest = Whole<Schemas['ActuatorTest']>;
export type Secret = Whole<Schemas['SecretView']>;
export type PlaybookKey = Whole<Schemas['PlaybookKey']>;
export type PlaybookKeys = Narrow<Schemas['PlaybookKeys'], { signatures: 'ignore' | 'warn' | 'require'; items: PlaybookKey[] }>;
export type PlaybookReport = Narrow<Schemas['PlaybookReport'], { runnable: Whole<Schemas['PlaybookRunnable']> }>;
export type StoredPlaybook = Playbook & { report: PlaybookReport };
export type RunState = Schemas['RunState'];
export type StepState = Schemas['StepState'];
export type Run = Whole<Schemas['RunView']>;
export type Step = Narrow<Schemas['StepView'], { outcome: Outcome | null; arguments: Record<string, unknown> | null }>;
export type RunDetail = Run & { variables: Record<string, unknown>; steps: Step[]; path: string[] };

export type Notice = Whole<Schemas['NoticeView']>;

export type IntelAnswer = Narrow<Schemas['IntelLookupAnswer'], { sources: Whole<Schemas['IntelLookupSource']>[] }>;
export type IntelStock = Whole<Schemas['IntelSourceItem']>;
export type IntelItem = Whole<Schemas['IntelItem']>;
export type IntelFound = Narrow<Schemas['IntelFound'], { items: IntelItem[]; by_type: Whole<Schemas['TypeCount']>[] }>;
export type IntelSuggestion = Whole<Schemas['IntelSuggestion']>;
export type IntelObject = Narrow<Schemas['IntelObject'], {
  item: IntelItem;
  object: Record<string, unknown>;
  said: Whole<Schemas['IntelSaid']>[];
  versions: Whole<Schemas['IntelVersion']>[];
  relations: Whole<Schemas['IntelKindCount']>[];
  values: Narrow<Schemas['IntelValue'], { standing: Whole<Schemas['IntelStanding']> | null }>[];
}>;
export type IntelRelations = Narrow<Schemas['IntelRelations'], { relations: Whole<Schemas['IntelRelation']>[]; objects: IntelItem[] }>;
export type IntelPath = Narrow<Schemas['IntelPath'], { relations: Whole<Schemas['IntelRelation']>[]; objects: IntelItem[] }>;
export interface MatrixCell {
  id: string;
  name: string;
  number: number;
  total: number;
  covered: number;
  below: MatrixCell[];
}
export interface MatrixColumn {
  id: string;
  name: string;
  short_name: string;
  cells: MatrixCell[];
  covered: number;
}
export type IntelMatrix = Narrow<Schemas['IntelMatrix'], {
  matrix: { domain: string; name: string; columns: MatrixColumn[]; techniques: number; sub_techniques: number; covered: number } | null;
}>;
export type ImportReport = Narrow<Schemas['ImportReport'], { problems: Whole<Schemas['ImportProblem']>[] }>;
export type ImportState = Narrow<Schemas['ImportState'], { state: 'waiting' | 'storing' | 'done' | 'failed' }>;
export type ImportProblem = Whole<Schemas['ImportProblem']>;
export type Push = Narrow<Schemas['PushView'], { state: 'never' | 'fine' | 'failing' | 'paused'; auth: { scheme: 'none' | 'basic' | 'bearer' | 'key'; user?: string } }>;
export type Feed = Narrow<Schemas['FeedView'], { state: 'never' | 'fine' | 'failing' | 'paused'; counts: Whole<Schemas['FeedCounts']> | null }>;
export type Collection = Narrow<Schemas['TaxiiCollectionItem'], { kind: 'inbox' | 'outbox' | 'open' | 'closed' }>;
export type TaxiiRoot = Whole<Schemas['TaxiiRoot']>;

export type Membership = 'joining' | 'refused' | 'active' | 'left' | 'expelled' | 'dissolved';
export type Member = Narrow<Schemas['MemberView'], { state: Membership }>;
export type Community = Narrow<Schemas['CommunityView'], { max_tlp: Tlp; state: Membership; role: 'leader' | 'contributor' | 'reader'; members: Member[] | null }>;
export type Organisation = Whole<Schemas['OrganisationView']>;
export type Invited = Narrow<Schemas['InvitedView'], { state: 'open' | 'used' | 'withdrawn' | 'expired' }>;
export type Invitation = Whole<Schemas['CommunityInvitation']>;
export type SharingPolicy = Narrow<Schemas['SharingPolicy'], { effect: 'permit' | 'forbid' }>;
export type SharingTestRun = Whole<Schemas['SharingTestRun']>;
export type Redaction = Narrow<Schemas['RedactionRule'], {
  to: { kinds: string[]; organisations: string[]; communities: string[] };
  types: string[];
  action: { do: 'remove'; properties: string[] } | { do: 'replace'; pattern: string; with: string } | { do: 'pseudonymise' } | { do: 'drop' };
}>;
export type PreviewRecipient = Narrow<Schemas['PreviewRecipient'], { answers: Whole<Schemas['PreviewAnswer']>[] }>;
export type Preview = Narrow<Schemas['SharePreviewAnswer'], { objects: Narrow<Schemas['PreviewObject'], { tlp: Tlp }>[]; recipients: PreviewRecipient[] }>;

export type HandState = 'withheld' | 'queued' | 'sent' | 'received' | 'refused' | 'cancelled' | 'retracting' | 'retracted' | 'waiting' | 'acknowledged';
export type FederationLink = Narrow<Schemas['FederationLink'], { way: 'we-call' | 'it-calls' }>;
export type SharedObject = Narrow<Schemas['SharedObject'], { state: HandState; tlp: Tlp }>;
export type ObjectShare = Narrow<Schemas['ObjectShare'], { counts: Record<string, number>; objects: SharedObject[] | null }>;
export type ObjectRetraction = Narrow<Schemas['ObjectRetraction'], {
  counts: Record<string, number>;
  objects: Narrow<Schemas['RetractedObject'], { state: HandState }>[] | null;
  behind: Whole<Schemas['RetractedBehind']>[] | null;
}>;

export type ShareDecision = Whole<Schemas['ShareDecisionItem']>;
export type ShareState = 'denied' | 'queued' | 'delivered' | 'acknowledged' | 'refused';
export type Share = Narrow<Schemas['ShareItem'], {
  state: ShareState;
  tlp: Tlp;
  receipt: Whole<Schemas['ShareReceiptItem']> | null;
  answer: Whole<Schemas['ShareAnswerItem']> | null;
}>;
export interface StixObject {
  id: string;
  type: string;
  [property: string]: unknown;
}
export interface Bundle {
  type: 'bundle';
  id: string;
  objects: StixObject[];
}
export type ShareDetail = Share & { history: Whole<Schemas['ShareHistoryItem']>[]; bundle: Bundle | null };
export type SharePreview = Whole<Schemas['SharePreviewItem']>;
export type Peer = Narrow<Schemas['PeerView'], { state: 'reachable' | 'unreachable' | 'never'; direction: 'we send' | 'they send' | 'both' }>;

export type TreeHead = Whole<Schemas['TreeHead']>;
export type LedgerEntry = Whole<Schemas['EntryView']>;
export type InclusionProof = Narrow<Omit<Schemas['EntryProof'], 'entry'>, { head: TreeHead }>;
export type Verification = Narrow<Schemas['VerifyReport'], { first_altered: Whole<Schemas['Altered']> | null }>;

export type ApiToken = Whole<Schemas['TokenView']>;
export type ClientCertificate = Whole<Schemas['CertificateView']>;
export type AccessRoute = Whole<Schemas['RouteAccess']>;
export type ReportReview = Narrow<Schemas['ReportReview'], { candidates: ReportCandidate[] }>;
export type ReportCandidate = Whole<Schemas['ReportCandidate']>;
export type ReportStored = Narrow<Schemas['ReportStored'], { stored: ImportReport }>;
export type SightingKept = Whole<Schemas['SightingKept']>;
export type IntelDecay = Narrow<Schemas['IntelDecay'], { kinds: DecayKind[]; sources: Whole<Schemas['IntelWeight']>[] }>;
export type DecayKind = Whole<Schemas['IntelDecayKind']>;
export type Warninglist = Narrow<Schemas['IntelWarninglist'], { origin: 'loaded' | 'shipped' }>;
export type WarninglistAdded = Narrow<Schemas['IntelWarninglistAdded'], { list: Warninglist }>;
export type Webhook = Narrow<Schemas['WebhookView'], { state: 'fine' | 'failing' | 'paused' }>;
export type WebhookMade = Narrow<Schemas['WebhookMade'], { webhook: Webhook }>;
export type WebhookTested = Whole<Schemas['WebhookTested']>;
export type KnowledgeLicence = Narrow<Schemas['KnowledgeLicence'], { origin: 'shipped' | 'loaded' | 'source' | 'statement' }>;
export type GraphPositions = { positions: Record<string, [number, number]> };

export type { Checkpoint, CheckpointAgent, HealthCheck, HealthSpec, LiftCase, ProtectedService, RecoveryOrder, RecoveryReport } from './recovery-types';
