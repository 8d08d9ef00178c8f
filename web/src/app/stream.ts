// The line to the node. With a session the browser's own EventSource keeps it; with a token, which
// EventSource cannot send, the same is done here: reconnection, Last-Event-ID, nothing lost.
import { currentPass } from '@/api/pass';

export interface Ears {
  open: () => void;
  cut: () => void;
  event: (name: string, data: string) => void;
}

const PATH = '/api/v1/events';
const NAMES = ['fact', 'live'] as const;
const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 10_000;
/** An event longer than this is no event of ours: the line is opened anew. */
const MAX_EVENT_CHARS = 4_000_000;

export function openStream(ears: Ears): () => void {
  const pass = currentPass();
  return pass === null ? bySession(ears) : byToken(ears, pass);
}

function bySession(ears: Ears): () => void {
  let source: EventSource;
  let timer: number | undefined;
  const open = () => {
    source = new EventSource(PATH);
    source.onopen = ears.open;
    for (const name of NAMES) source.addEventListener(name, (event) => ears.event(name, String(event.data)));
    source.onerror = () => {
      ears.cut();
      // Refused for good (not merely cut): the browser gives up, we do not.
      if (source.readyState !== EventSource.CLOSED) return;
      window.clearTimeout(timer);
      timer = window.setTimeout(open, LONGEST_WAIT_MS / 2);
    };
  };
  open();
  return () => {
    window.clearTimeout(timer);
    source.close();
  };
}

function byToken(ears: Ears, pass: string): () => void {
  const stop = new AbortController();
  let lastId = '';
  let wait = FIRST_WAIT_MS;
  const listen = async () => {
    const headers: Record<string, string> = { Accept: 'text/event-stream', Authorization: `Bearer ${pass}` };
    if (lastId !== '') headers['Last-Event-ID'] = lastId;
    const response = await fetch(PATH, { headers, signal: stop.signal, cache: 'no-store' });
    if (!response.ok || !response.body) throw new Error(`status ${response.status}`);
    ears.open();
    wait = FIRST_WAIT_MS;
    const parser = new EventParser((event) => {
      if (event.id !== null) lastId = event.id;
      ears.event(event.name, event.data);
    });
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      parser.push(value);
    }
  };
  const keep = async () => {
    while (!stop.signal.aborted) {
      await listen().catch(() => undefined);
      if (stop.signal.aborted) return;
      ears.cut();
      await new Promise((resolve) => window.setTimeout(resolve, wait));
      wait = Math.min(LONGEST_WAIT_MS, wait * 2);
    }
  };
  void keep();
  return () => stop.abort();
}

export interface ServerEvent {
  name: string;
  data: string;
  id: string | null;
}

/** Server-sent events out of pieces of text that are cut anywhere (WHATWG HTML §9.2.6). */
export class EventParser {
  private rest = '';
  private name = '';
  private data: string[] = [];
  private id: string | null = null;
  private size = 0;

  constructor(private readonly take: (event: ServerEvent) => void) {}

  push(text: string): void {
    this.rest += text;
    for (;;) {
      // A carriage return at the very end may be the first half of a line end: wait for the next piece.
      const end = /\r\n|\n|\r(?!$)/.exec(this.rest);
      if (!end) break;
      const line = this.rest.slice(0, end.index);
      this.rest = this.rest.slice(end.index + end[0].length);
      this.line(line);
    }
    if (this.rest.length + this.size > MAX_EVENT_CHARS) throw new Error(`event longer than ${MAX_EVENT_CHARS} characters`);
  }

  private line(line: string): void {
    if (line === '') {
      if (this.data.length > 0) this.take({ name: this.name || 'message', data: this.data.join('\n'), id: this.id });
      this.name = '';
      this.data = [];
      this.id = null;
      this.size = 0;
      return;
    }
    this.size += line.length;
    const colon = line.indexOf(':');
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'event') this.name = value;
    else if (field === 'data') this.data.push(value);
    else if (field === 'id' && !value.includes('\0')) this.id = value;
  }
}
