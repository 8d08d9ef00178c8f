// What was asked of the node lately, as it can be asked again from a command line. Bodies may hold secrets: what is
// called so is replaced, and the token is a variable.

export interface Asked {
  method: string;
  path: string;
  body: string | null;
  type: string;
  at: number;
}

const MAX_KEPT = 20;
const SECRET = /pass(word|phrase)?|secret|token|code|credential|private|key$/i;
const HIDDEN = '$SECRET';

const acts: Asked[] = [];
const seen: Asked[] = [];

export function record(asked: Asked): void {
  const list = asked.method === 'GET' ? seen : acts;
  list.unshift(asked);
  list.length = Math.min(list.length, MAX_KEPT);
}

/** The newest act, or the newest read. */
export const lastAct = (): Asked | undefined => acts.find((one) => !/^\/sign-(in|out)/.test(one.path));
export const lastReads = (): Asked[] => seen.filter((one) => one.path !== '/node' && one.path !== '/me');

function hidden(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(hidden);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, SECRET.test(key) && typeof one === 'string' ? HIDDEN : hidden(one)]));
}

/** For a shell: nothing inside the quotes means anything. */
const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

export function asCurl({ method, path, body, type }: Asked, origin: string): string {
  const parts = ['curl', '-sS', ...(method === 'GET' ? [] : ['-X', method]), '-H "Authorization: Bearer $SERENO_TOKEN"'];
  if (body !== null) {
    let text = body;
    if (type === 'application/json') {
      try {
        text = JSON.stringify(hidden(JSON.parse(body)));
      } catch {
        text = body;
      }
    }
    parts.push(`-H ${quoted(`Content-Type: ${type}`)}`, `-d ${quoted(text)}`);
  }
  parts.push(quoted(`${origin}/api/v1${path}`));
  return parts.join(' ');
}
