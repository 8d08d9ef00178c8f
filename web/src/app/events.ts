// One connection for everything that happens. The browser reconnects and sends Last-Event-ID itself,
// so that no fact is lost; facts refresh what they concern, at most a few times a second.
import type { QueryClient } from '@tanstack/react-query';
import { useQueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';
import type { Fact, GatewayTotals, ScorePoint } from '@/api/types';
import { serverNow } from '@/api/clock';
import { t } from '@/strings/t';
import { feed } from './feed-store';
import { held, onHold } from './hold';
import { isNewer } from './newer';
import { patchLive, readLive, type Live } from './store';
import { openStream } from './stream';
import { toast } from './undo';

const COALESCE_MS = 300;
const RATE_MS = 1_000;
const MAX_POINTS = 4000;
/** A live window this much older (packet time) than the newest one is of another start. */
const STARTED_AGAIN_MS = 2 * 3_600_000;

/** Which reads a fact makes old, by the room that owns it. */
export function touchedBy(kind: string): string[] {
  const room = kind.split('.')[0];
  const own: Record<string, string[]> = {
    gateway: ['gateways', 'orders', 'counters'],
    assets: ['devices', 'detection'],
    detection: ['findings', 'detection', 'incidents', 'devices'],
    incidents: ['incidents', 'recovery'],
    recovery: ['recovery', 'incidents'],
    playbooks: ['runs', 'incidents', 'orders', 'notices', 'automation', 'proposals'],
    cti: ['shares', 'peers', 'incidents'],
    federation: ['federation', 'knowledge'],
    knowledge: ['knowledge'],
    webhooks: ['webhooks'],
    backups: ['backups'],
    feeds: ['feeds', 'knowledge'],
    communities: ['communities', 'organisations', 'sharing'],
    identity: ['tokens'],
  };
  return [...(own[room ?? ''] ?? []), 'ledger'];
}

export type LiveMessage =
  | ({ topic: 'counters'; gateway: string; devices: Live['counters'][string][]; totals?: GatewayTotals })
  | ({ topic: 'source'; gateway: string; state: Live['source'][string] })
  | ({ topic: 'training'; device: string; state: Live['training'][string] })
  | ({ topic: 'windows'; device: string; at: string } & Partial<ScorePoint>);

function takeLive(client: QueryClient, message: LiveMessage): void {
  const live = readLive();
  if (message.topic === 'counters') {
    const counters = { ...live.counters };
    for (const device of message.devices ?? []) counters[device.mac] = device;
    patchLive({ counters, countersAt: Date.now(), ...(message.totals ? { totals: { ...live.totals, [message.gateway]: message.totals } } : {}) });
  } else if (message.topic === 'source') {
    // A standing replay repeats itself four times a second: nothing new, nothing to paint.
    if (JSON.stringify(live.source[message.gateway]) === JSON.stringify(message.state)) return;
    const before = live.source[message.gateway];
    patchLive({ source: { ...live.source, [message.gateway]: message.state } });
    // A replay that starts again is another story in the same packet time: the old scores are not its own.
    if (before && before.epoch !== message.state.epoch) {
      void client.resetQueries({ queryKey: ['scores'] });
      void client.invalidateQueries({ queryKey: ['counters'] });
    }
  } else if (message.topic === 'training') {
    patchLive({ training: { ...live.training, [message.device]: message.state } });
  } else if (message.topic === 'windows') {
    addWindow(client, message);
  }
}

type WindowMessage = Extract<LiveMessage, { topic: 'windows' }>;

function addWindow(client: QueryClient, message: WindowMessage): void {
  const start = message.start ?? message.at;
  const point: ScorePoint = {
    start,
    end: message.end ?? message.at,
    score: message.score ?? null,
    alert: message.alert ?? false,
    packets_out: message.packets_out ?? 0,
    packets_in: message.packets_in ?? 0,
    bytes_out: message.bytes_out ?? 0,
    bytes_in: message.bytes_in ?? 0,
    top_metric: message.top_metric ?? null,
    measured: message.measured ?? null,
    expected: message.expected ?? null,
  };
  type Scores = { device: string; points: ScorePoint[] };
  client.setQueriesData<Scores>({ queryKey: ['scores', message.device] }, (old) => {
    if (!old) return old;
    const last = old.points.at(-1);
    // Somewhat older: the history already holds it. Far older: the source began again.
    const back = last ? Date.parse(last.start) - Date.parse(point.start) : -1;
    if (back > STARTED_AGAIN_MS) return { ...old, points: [point] };
    if (back >= 0) return old;
    return { ...old, points: [...old.points, point].slice(-MAX_POINTS) };
  });
}

let release: () => void = () => undefined;

/** Shows what waits, wherever the pointer is. */
export const showNews = (): void => release();

class Listener {
  private shut: () => void = () => undefined;
  private readonly dirty = new Set<string>();
  private flushTimer: number | undefined;
  /** Facts since the last flush: they reach the page together, a few times a second, however many there are. */
  private facts: Fact[] = [];
  private heard = 0;
  private unhold: () => void = () => undefined;
  private rateTimer: number | undefined;

  constructor(private readonly client: QueryClient) {}

  open(): void {
    this.shut = openStream({
      open: () => this.opened(),
      cut: () => patchLive({ line: 'reconnecting', cutAt: readLive().cutAt ?? serverNow() }),
      event: (name, data) => this.event(name, data),
    });
    this.unhold = onHold(() => !held() && this.dirty.size > 0 && this.flushTimer === undefined && this.renew());
    release = () => this.renew();
    this.rateTimer = window.setInterval(() => this.measure(), RATE_MS);
  }

  close(): void {
    this.shut();
    window.clearTimeout(this.flushTimer);
    window.clearInterval(this.rateTimer);
    this.unhold();
  }

  private opened(): void {
    const again = readLive().line === 'reconnecting';
    patchLive({ line: 'live', heardAt: Date.now(), cutAt: null });
    if (!again) return;
    // What was fleeting while the line was cut is gone: read everything once more.
    void this.client.invalidateQueries();
    toast(t('line.again'));
    void isNewer().then((newer) => newer && patchLive({ newer }));
  }

  private event(name: string, data: string): void {
    if (name === 'live') {
      const message = parse<LiveMessage>(data);
      if (message) takeLive(this.client, message);
      return;
    }
    const fact = parse<Fact>(data);
    if (!fact) return;
    this.heard += 1;
    this.facts.push(fact);
    for (const root of touchedBy(fact.kind)) this.dirty.add(root);
    this.flushTimer ??= window.setTimeout(() => this.flush(), COALESCE_MS);
  }

  private measure(): void {
    const rate = Math.round((this.heard * 1000) / RATE_MS);
    this.heard = 0;
    if (rate !== readLive().rate) patchLive({ rate });
  }

  private flush(): void {
    this.flushTimer = undefined;
    patchLive({ heardAt: Date.now() });
    feed.arrive(...this.facts);
    const fresh = this.facts.length;
    this.facts = [];
    if (held()) {
      patchLive({ waiting: readLive().waiting + fresh });
      return;
    }
    this.renew();
  }

  /** Reads anew what facts have made old. */
  private renew(): void {
    if (readLive().waiting > 0) patchLive({ waiting: 0 });
    const roots = [...this.dirty];
    this.dirty.clear();
    for (const root of roots) void this.client.invalidateQueries({ queryKey: [root] });
  }
}

function parse<T>(data: string): T | null {
  try {
    return JSON.parse(data) as T;
  } catch {
    return null;
  }
}

/** Listens while `on`; once per page. */
export function useEvents(on: boolean): void {
  const client = useQueryClient();
  useEffect(() => {
    if (!on) return;
    const listener = new Listener(client);
    listener.open();
    return () => listener.close();
  }, [client, on]);
}
