// Every read of the console, in one visible list. The first word of a key is what facts invalidate.
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { get, getTagged, getText, post, query } from './client';
import type { OpenSession, OwnAccount, Person } from './people-types';
import type * as api from './types';

const id = encodeURIComponent;

export const reads = {
  node: () => queryOptions({ queryKey: ['node'], queryFn: () => get<api.NodeInfo>('/node') }),
  search: (q: string, kind: string | undefined, limit: number) =>
    queryOptions({
      queryKey: ['search', q, kind ?? '', limit],
      queryFn: ({ signal }) => get<api.FoundEverything>(`/search${query({ q, kind, limit })}`, signal),
      enabled: q !== '',
      placeholderData: (previous) => previous,
      staleTime: 10_000,
      retry: false,
    }),
  me: () => queryOptions({ queryKey: ['me'], queryFn: () => get<api.Me>('/me'), staleTime: 60_000 }),
  facts: (limit: number) =>
    queryOptions({
      queryKey: ['facts', limit],
      queryFn: () => get<api.Page<api.Fact>>(`/facts${query({ limit })}`),
    }),
  doctor: () =>
    queryOptions({
      queryKey: ['doctor'],
      queryFn: () => get<{ components: api.Component[] }>('/doctor'),
      refetchInterval: 30_000,
    }),
  devices: () =>
    queryOptions({ queryKey: ['devices'], queryFn: async () => listOf(await get<Listed<api.Device>>(`/devices${query({ limit: 500 })}`)) }),
  devicesLike: (kind: string | undefined, text: string | undefined) =>
    queryOptions({
      queryKey: ['devices', 'like', kind ?? '', text ?? ''],
      queryFn: async () => listOf(await get<Listed<api.Device>>(`/devices${query({ kind, q: text, limit: 500 })}`)),
      placeholderData: (previous) => previous,
    }),
  deviceEvidence: (device: string) =>
    queryOptions({ queryKey: ['devices', 'evidence', device], queryFn: () => get<api.DeviceEvidence>(`/devices/${id(device)}/evidence`) }),
  device: (device: string) =>
    queryOptions({ queryKey: ['devices', device], queryFn: () => get<api.Device>(`/devices/${id(device)}`) }),
  watched: () =>
    queryOptions({
      queryKey: ['detection'],
      queryFn: async () => listOf(await get<Listed<api.Watched>>('/detection/devices')),
    }),
  scores: (device: string, from?: string, to?: string) =>
    queryOptions({
      queryKey: ['scores', device, from ?? '', to ?? ''],
      queryFn: () =>
        get<{ device: string; points: api.ScorePoint[] }>(
          `/detection/devices/${id(device)}/scores${query({ from, to, points: 600 })}`,
        ),
      placeholderData: (previous) => previous,
    }),
  findings: (device?: string) =>
    queryOptions({
      queryKey: ['findings', device ?? ''],
      queryFn: () => get<api.Page<api.Finding>>(`/findings${query({ device, limit: 200 })}`),
    }),
  finding: (finding: string) =>
    queryOptions({ queryKey: ['findings', 'one', finding], queryFn: () => get<api.FindingDetail>(`/findings/${id(finding)}`) }),
  groups: (device?: string) =>
    queryOptions({
      queryKey: ['findings', 'groups', device ?? ''],
      queryFn: () => get<api.Page<api.FindingGroup>>(`/detection/groups${query({ device, limit: 200 })}`),
    }),
  suppressions: (all: boolean) =>
    queryOptions({
      queryKey: ['detection', 'suppressions', all],
      queryFn: () => get<api.Page<api.Suppression>>(`/detection/suppressions${query({ all: all ? 'true' : null, limit: 200 })}`),
    }),
  models: (device: string) =>
    queryOptions({
      queryKey: ['detection', 'models', device],
      queryFn: () => get<api.Page<api.ModelVersion>>(`/detection/devices/${id(device)}/models${query({ limit: 100 })}`),
    }),
  compare: (device: string, a: number, b: number) =>
    queryOptions({
      queryKey: ['detection', 'compare', device, a, b],
      queryFn: () => get<api.Comparison>(`/detection/devices/${id(device)}/models/compare${query({ a, b })}`),
      enabled: a !== b,
    }),
  machines: () =>
    queryOptions({ queryKey: ['detection', 'commands'], queryFn: async () => (await get<api.Page<api.MachineModel>>('/detection/commands')).items }),
  machineText: (edge: string, version?: number) =>
    queryOptions({ queryKey: ['detection', 'commands', edge, version ?? 0], queryFn: () => getText(`/detection/commands/${id(edge)}${query({ version })}`) }),
  machineVersions: (edge: string) =>
    queryOptions({
      queryKey: ['detection', 'commands', edge, 'versions'],
      queryFn: () => get<api.Page<api.MachineVersion>>(`/detection/commands/${id(edge)}/versions${query({ limit: 100 })}`),
    }),
  laws: () => queryOptions({ queryKey: ['detection', 'laws'], queryFn: async () => (await get<api.Page<api.LawModel>>('/detection/laws')).items }),
  law: (edge: string, protocol: string) =>
    queryOptions({ queryKey: ['detection', 'laws', edge, protocol], queryFn: () => get<api.LawModelDetail>(`/detection/laws/${id(edge)}/${id(protocol)}`) }),
  evaluations: () => queryOptions({ queryKey: ['evaluations'], queryFn: () => get<api.Page<api.Evaluation>>('/detection/evaluations') }),
  evaluation: (evaluation: string) =>
    queryOptions({
      queryKey: ['evaluations', evaluation],
      queryFn: () => get<api.EvaluationDetail>(`/detection/evaluations/${id(evaluation)}`),
      staleTime: Infinity,
    }),
  gateways: () =>
    queryOptions({ queryKey: ['gateways'], queryFn: async () => listOf(await get<Listed<api.Gateway>>('/gateways')) }),
  gateway: (name: string) =>
    queryOptions({
      queryKey: ['gateways', 'one', name],
      queryFn: () => get<api.GatewayDetail>(`/gateways/${id(name)}`),
      retry: false,
      // No fact tells that a policy was taken: looked for until it is.
      refetchInterval: (query) => {
        const now = query.state.data;
        return now?.connected && now.policy.version > 0 && now.policy.taken !== now.policy.version ? 1_000 : 10_000;
      },
    }),
  allowLists: (name: string) => queryOptions({ queryKey: ['gateways', 'allow', name], queryFn: async () => (await get<api.Page<api.AllowList>>(`/gateways/${id(name)}/allow`)).items, refetchInterval: 30_000 }),
  policyHistory: (name: string) => queryOptions({ queryKey: ['gateways', 'history', name], queryFn: async () => (await get<api.Page<api.PolicyChange>>(`/gateways/${id(name)}/policy/history`)).items }),
  checkpointAgents: () => queryOptions({ queryKey: ['recovery', 'agents'], queryFn: async () => (await get<api.Page<api.CheckpointAgent>>('/recovery/agents')).items, refetchInterval: 30_000 }),
  recoveryOrders: () =>
    queryOptions({
      queryKey: ['recovery', 'orders'],
      queryFn: async () => (await get<api.Page<api.RecoveryOrder>>(`/recovery/orders${query({ limit: 100 })}`)).items,
      // The moments of a restart are drawn by chance; its end is told by a fact, and looked for besides.
      refetchInterval: (query) => (query.state.data?.some((one) => one.ended_at === null) ? 2_000 : 30_000),
    }),
  healthChecks: () => queryOptions({ queryKey: ['recovery', 'checks'], queryFn: async () => (await get<api.Page<api.HealthCheck>>('/recovery/checks')).items }),
  liftCases: () => queryOptions({ queryKey: ['recovery', 'cases'], queryFn: async () => (await get<api.Page<api.LiftCase>>(`/recovery/cases${query({ limit: 100 })}`)).items }),
  counters: (gateway: string, mac: string) =>
    queryOptions({
      queryKey: ['counters', gateway, mac],
      queryFn: () =>
        get<{ points: api.CounterPoint[] }>(`/gateways/${id(gateway)}/counters${query({ device_mac: mac })}`),
    }),
  orders: () =>
    queryOptions({ queryKey: ['orders'], queryFn: async () => listOf(await get<Listed<api.Order>>('/orders')) }),
  incidents: (state: 'open' | 'closed' | 'all') =>
    queryOptions({
      queryKey: ['incidents', state],
      queryFn: () => get<api.Page<api.Incident>>(`/incidents${query({ state, limit: 200 })}`),
    }),
  incident: (incident: string) =>
    queryOptions({
      queryKey: ['incidents', 'one', incident],
      queryFn: () => get<api.IncidentDetail>(`/incidents/${id(incident)}`),
    }),
  playbooks: () =>
    queryOptions({ queryKey: ['playbooks'], queryFn: async () => listOf(await get<Listed<api.Playbook>>('/playbooks')) }),
  playbook: (playbook: string) =>
    queryOptions({
      queryKey: ['playbooks', playbook],
      queryFn: () => get<api.PlaybookDetail>(`/playbooks/${id(playbook)}`),
    }),
  runs: (incident?: string) =>
    queryOptions({
      queryKey: ['runs', incident ?? ''],
      queryFn: () => get<api.Page<api.Run>>(`/runs${query({ incident, limit: 100 })}`),
    }),
  /** Runs that wait for a person, asked for by their state so that none is beyond a page of ended ones. */
  waitingRuns: () =>
    queryOptions({
      queryKey: ['runs', 'waiting'],
      queryFn: async () => (await get<api.Page<api.Run>>(`/runs${query({ state: 'waiting', limit: 100 })}`)).items.filter((run) => run.state === 'waiting'),
    }),
  automation: () => queryOptions({ queryKey: ['automation'], queryFn: () => getTagged<api.Automation>('/automation'), retry: false }),
  answerMails: (about: string) =>
    queryOptions({ queryKey: ['answer-mails', about], queryFn: () => get<api.Page<api.AnswerMail>>(`/answer-mails${query({ about, limit: 100 })}`), retry: false }),
  delegations: () => queryOptions({ queryKey: ['delegations'], queryFn: () => get<api.Page<api.Delegation>>(`/delegations${query({ limit: 100 })}`), retry: false }),
  decidedProposals: () =>
    infiniteQueryOptions({
      queryKey: ['proposals', 'decided'],
      queryFn: ({ pageParam }) => get<api.Page<api.Proposal>>(`/proposals${query({ state: 'decided', limit: 20, cursor: pageParam })}`),
      initialPageParam: null as string | null,
      getNextPageParam: (last) => last.next,
      retry: false,
    }),
  openProposals: () =>
    queryOptions({ queryKey: ['proposals', 'open'], queryFn: () => get<api.Page<api.Proposal>>(`/proposals${query({ state: 'open', limit: 100 })}`), retry: false }),
  responses: (incident: string) =>
    queryOptions({ queryKey: ['incidents', incident, 'responses'], queryFn: () => get<api.ResponseCandidate[]>(`/incidents/${id(incident)}/responses`), retry: false }),
  actuators: () => queryOptions({ queryKey: ['actuators'], queryFn: async () => (await get<{ items: api.Actuator[] }>('/actuators')).items }),
  secrets: () => queryOptions({ queryKey: ['secrets'], queryFn: async () => (await get<{ items: api.Secret[] }>('/secrets')).items }),
  playbookKeys: () => queryOptions({ queryKey: ['playbook-keys'], queryFn: () => get<api.PlaybookKeys>('/playbook-keys') }),
  run: (run: string) =>
    queryOptions({ queryKey: ['runs', 'one', run], queryFn: () => get<api.RunDetail>(`/runs/${id(run)}`) }),
  notices: () =>
    queryOptions({ queryKey: ['notices'], queryFn: async () => listOf(await get<Listed<api.Notice>>(`/notices${query({ limit: 20 })}`)) }),
  lookup: (value: string) =>
    queryOptions({
      queryKey: ['intel', value],
      queryFn: () => get<api.IntelAnswer>(`/intel/lookup${query({ value })}`),
      enabled: value !== '',
      staleTime: 60_000,
    }),
  intelSources: () =>
    queryOptions({
      queryKey: ['intel-sources'],
      queryFn: async () => listOf(await get<Listed<api.IntelStock>>('/intel/sources')),
    }),
  intelObjects: (q: string, at: string) =>
    infiniteQueryOptions({
      queryKey: ['knowledge', 'objects', q, at],
      queryFn: ({ pageParam }) => get<api.IntelFound>(`/intel/objects${query({ q, at, limit: 100, cursor: pageParam, count: pageParam ? null : 'true' })}`),
      initialPageParam: null as string | null,
      getNextPageParam: (last) => last.next,
      retry: false,
    }),
  intelComplete: (q: string) =>
    queryOptions({
      queryKey: ['knowledge', 'complete', q],
      queryFn: () => get<api.IntelSuggestion[]>(`/intel/complete${query({ q })}`),
      placeholderData: (previous) => previous,
      staleTime: 60_000,
    }),
  intelObject: (object: string, at: string) =>
    queryOptions({ queryKey: ['knowledge', 'object', object, at], queryFn: () => get<api.IntelObject>(`/intel/objects/${id(object)}${query({ at })}`), retry: false }),
  intelRelations: (object: string, at: string) =>
    queryOptions({ queryKey: ['knowledge', 'relations', object, at], queryFn: () => get<api.IntelRelations>(`/intel/objects/${id(object)}/relations${query({ at, limit: 200 })}`), retry: false }),
  intelPath: (from: string, to: string, at: string) =>
    queryOptions({ queryKey: ['knowledge', 'path', from, to, at], queryFn: () => get<api.IntelPath>(`/intel/path${query({ from, to, at })}`), retry: false }),
  intelDecay: () => queryOptions({ queryKey: ['knowledge', 'decay'], queryFn: () => get<api.IntelDecay>('/knowledge/decay') }),
  layout: (name: string) =>
    queryOptions({
      queryKey: ['layout', name],
      // None kept yet is an answer: the list says so, and nothing fails.
      queryFn: async () => {
        const names = await get<{ name: string }[]>('/knowledge/layouts');
        return names.some((one) => one.name === name) ? get<api.GraphPositions>(`/knowledge/layouts/${id(name)}`) : null;
      },
      retry: false,
    }),
  licences: () => queryOptions({ queryKey: ['knowledge', 'licences'], queryFn: () => get<api.KnowledgeLicence[]>('/knowledge/licences') }),
  warninglists: () => queryOptions({ queryKey: ['knowledge', 'warninglists'], queryFn: () => get<api.Warninglist[]>('/knowledge/warninglists') }),
  backups: () => queryOptions({ queryKey: ['backups'], queryFn: () => get<api.BackupList>('/backups'), refetchInterval: (query) => (query.state.data?.running ? 1_000 : 60_000) }),
  webhooks: () => queryOptions({ queryKey: ['webhooks'], queryFn: async () => (await get<api.Page<api.Webhook>>('/webhooks')).items }),
  intelMatrix: (domain: string) =>
    queryOptions({ queryKey: ['knowledge', 'matrix', domain], queryFn: () => get<api.IntelMatrix>(`/intel/matrix${query({ domain })}`), placeholderData: (previous) => previous, retry: false }),
  pushes: () => queryOptions({ queryKey: ['pushes'], queryFn: async () => (await get<api.Page<api.Push>>('/pushes')).items, refetchInterval: 10_000 }),
  feeds: () => queryOptions({ queryKey: ['feeds'], queryFn: async () => (await get<api.Page<api.Feed>>('/feeds')).items, refetchInterval: 10_000 }),
  collections: () => queryOptions({ queryKey: ['collections'], queryFn: () => get<api.Collection[]>('/taxii/collections') }),
  taxiiRoots: () => queryOptions({ queryKey: ['taxii-roots'], queryFn: () => get<api.TaxiiRoot[]>('/taxii/roots') }),
  communities: () => queryOptions({ queryKey: ['communities'], queryFn: async () => (await get<api.Page<api.Community>>('/communities')).items }),
  invitations: (community: string) => queryOptions({ queryKey: ['communities', 'invitations', community], queryFn: async () => (await get<api.Page<api.Invited>>(`/communities/${id(community)}/invitations`)).items }),
  imports: () =>
    queryOptions({
      queryKey: ['imports'],
      queryFn: async () => (await get<api.Page<api.ImportState>>('/intel/imports')).items,
      // Counts grow only while one is on its way.
      refetchInterval: (query) => (query.state.data?.some((one) => one.ended_at === null) ? 600 : 15_000),
    }),
  importProblems: (one: string, count: number) =>
    queryOptions({
      queryKey: ['imports', 'problems', one, count],
      queryFn: async () => (await get<api.Page<api.ImportProblem>>(`/intel/imports/${id(one)}/problems${query({ limit: 200 })}`)).items,
      enabled: count > 0,
      placeholderData: (previous) => previous,
    }),
  community: (community: string) => queryOptions({ queryKey: ['communities', 'one', community], queryFn: () => get<api.Community>(`/communities/${id(community)}`), retry: false }),
  organisations: () => queryOptions({ queryKey: ['organisations'], queryFn: async () => (await get<api.Page<api.Organisation>>('/organisations')).items }),
  sharingPolicies: () => queryOptions({ queryKey: ['sharing', 'policies'], queryFn: async () => (await get<api.Page<api.SharingPolicy>>('/sharing/policies')).items }),
  sharingTests: () => queryOptions({ queryKey: ['sharing', 'tests'], queryFn: async () => (await get<api.Page<api.SharingTestRun>>('/sharing/tests')).items }),
  redactions: () => queryOptions({ queryKey: ['sharing', 'redactions'], queryFn: async () => (await get<api.Page<api.Redaction>>('/sharing/redactions')).items }),
  sharingPreview: (q: string, ids: string, to: string) =>
    queryOptions({
      queryKey: ['sharing', 'preview', q, ids, to],
      queryFn: () => {
        const what = ids ? { objects: ids.split(/[\s,]+/).filter(Boolean) } : { query: q };
        const named = to.split(',').map((name) => name.trim()).filter(Boolean);
        const isId = (text: string) => /^[0-9a-f]{8}-[0-9a-f-]{27}$/.test(text);
        return post<api.Preview>('/sharing/preview', { ...what, to: { communities: named.filter(isId), organisations: named.filter((text) => !isId(text)) } });
      },
      enabled: q !== '' || ids !== '',
      retry: false,
    }),
  federationLinks: () => queryOptions({ queryKey: ['federation', 'links'], queryFn: async () => (await get<api.Page<api.FederationLink>>('/federation/links')).items, refetchInterval: 10_000 }),
  objectShares: () => queryOptions({ queryKey: ['federation', 'shares'], queryFn: async () => (await get<api.Page<api.ObjectShare>>(`/federation/shares${query({ limit: 200 })}`)).items }),
  objectShare: (share: string) => queryOptions({ queryKey: ['federation', 'shares', share], queryFn: () => get<api.ObjectShare>(`/federation/shares/${id(share)}`), retry: false, refetchInterval: 5_000 }),
  objectRetractions: () => queryOptions({ queryKey: ['federation', 'retractions'], queryFn: async () => (await get<api.Page<api.ObjectRetraction>>(`/federation/retractions${query({ limit: 200 })}`)).items }),
  objectRetraction: (retraction: string) => queryOptions({ queryKey: ['federation', 'retractions', retraction], queryFn: () => get<api.ObjectRetraction>(`/federation/retractions/${id(retraction)}`), retry: false, refetchInterval: 5_000 }),
  shares: (incident?: string) =>
    queryOptions({
      queryKey: ['shares', incident ?? ''],
      queryFn: () => get<api.Page<api.Share>>(`/shares${query({ incident, limit: 100 })}`),
    }),
  share: (share: string) =>
    queryOptions({ queryKey: ['shares', 'one', share], queryFn: () => get<api.ShareDetail>(`/shares/${id(share)}`) }),
  sharePreview: (incident: string) =>
    queryOptions({
      queryKey: ['shares', 'preview', incident],
      queryFn: async () => listOf(await get<Listed<api.SharePreview>>(`/incidents/${id(incident)}/share-preview`)),
    }),
  peers: () =>
    queryOptions({ queryKey: ['peers'], queryFn: async () => listOf(await get<Listed<api.Peer>>('/peers')) }),
  treeHead: () => queryOptions({ queryKey: ['ledger', 'head'], queryFn: () => get<api.TreeHead>('/ledger') }),
  entries: (subject: string | undefined, limit: number) =>
    queryOptions({
      queryKey: ['ledger', 'entries', subject ?? '', limit],
      queryFn: () => get<api.Page<api.LedgerEntry>>(`/ledger/entries${query({ subject, limit })}`),
      placeholderData: (previous) => previous,
    }),
  entry: (index: number) =>
    queryOptions({
      queryKey: ['ledger', 'entry', index],
      queryFn: async () => {
        // `before` leaves out the entry it names, so one more; a node that reads it otherwise still answers truly.
        const page = await get<api.Page<api.LedgerEntry>>(`/ledger/entries${query({ before: index + 1, limit: 2 })}`);
        return page.items.find((entry) => entry.index === index) ?? null;
      },
    }),
  proof: (index: number, size?: number) =>
    queryOptions({
      queryKey: ['proof', index, size ?? 0],
      queryFn: () => get<api.InclusionProof>(`/ledger/entries/${index}/proof${query({ size })}`),
      staleTime: Infinity,
    }),
  tokens: () =>
    queryOptions({ queryKey: ['tokens'], queryFn: async () => listOf(await get<Listed<api.ApiToken>>('/tokens')) }),
  certificates: () =>
    queryOptions({ queryKey: ['certificates'], queryFn: async () => listOf(await get<Listed<api.ClientCertificate>>('/certificates')) }),
  people: () => queryOptions({ queryKey: ['people'], queryFn: () => get<Person[]>('/users') }),
  ownAccount: () => queryOptions({ queryKey: ['own-account'], queryFn: () => get<OwnAccount>('/me') }),
  ownSessions: () => queryOptions({ queryKey: ['own-sessions'], queryFn: () => get<OpenSession[]>('/me/sessions') }),
  accessMatrix: () =>
    queryOptions({ queryKey: ['access-matrix'], queryFn: () => get<{ routes: api.AccessRoute[] }>('/access-matrix') }),
};

type Listed<T> = T[] | api.Page<T>;

/** Small lists come bare or as a page; both read the same here. */
function listOf<T>(answer: Listed<T>): T[] {
  return Array.isArray(answer) ? answer : answer.items;
}
