import { noteDate } from './clock';
import { record } from './record';
import { session } from './session';
import type { Problem } from './types';

/** A refused or failed request, with what the server says to do about it. */
export class ApiError extends Error {
  readonly problem: Problem;
  constructor(problem: Problem) {
    super(problem.detail ?? problem.title);
    this.problem = problem;
  }
}

const OFFLINE: Problem = {
  title: 'The node does not answer',
  status: 0,
  detail: 'No answer came back from the node this page was loaded from.',
  remedy: 'Check that it is running (sereno doctor); this page tries again by itself.',
};

async function problemOf(response: Response): Promise<Problem> {
  // The node gives every answer an id, and its log the same one.
  const instance = response.headers.get('X-Request-Id');
  const fallback: Problem = { title: response.statusText || 'Request failed', status: response.status, ...(instance ? { instance } : {}) };
  try {
    const body: unknown = await response.json();
    return typeof body === 'object' && body !== null ? { ...fallback, ...body } : fallback;
  } catch {
    return fallback;
  }
}

const OTHER_PERSON: Problem = {
  title: 'Somebody else signed in',
  status: 401,
  detail: 'Your session had ended. What you typed was not sent, because now somebody else is signed in here.',
  remedy: 'Look at it once more; send it again if it should be done in the name of who is signed in now.',
};

/** Where being turned away is the answer itself. */
const DOORS = /^\/(sign-in|sign-out|first-run|node$)/;

/** Asks; where the session has ended meanwhile, once more after the same person has signed in. */
async function send(method: string, path: string, body?: unknown, more: Record<string, string> = {}, signal?: AbortSignal): Promise<Response> {
  try {
    return await once(method, path, body, more, signal);
  } catch (error) {
    if (!(error instanceof ApiError) || error.problem.status !== 401 || DOORS.test(path)) throw error;
    const again = await session.ask();
    if (again === 'same' || (again === 'other' && method === 'GET')) return once(method, path, body, more);
    throw again === 'other' ? new ApiError(OTHER_PERSON) : error;
  }
}

async function once(method: string, path: string, body?: unknown, more: Record<string, string> = {}, signal?: AbortSignal): Promise<Response> {
  const headers: Record<string, string> = { Accept: 'application/json, application/problem+json', ...more };
  // Cookies alone must not be enough to change something: see the contract's note on sessions.
  if (method !== 'GET') headers['X-Sereno-Request'] = '1';
  const plain = headers['Content-Type'] === 'text/plain';
  if (body !== undefined && !plain) headers['Content-Type'] = 'application/json';
  const text = body === undefined ? null : plain ? String(body) : JSON.stringify(body);
  const asked = Date.now();
  record({ method, path, body: text, type: headers['Content-Type'] ?? '', at: asked });
  let response: Response;
  try {
    response = await fetch(`/api/v1${path}`, {
      method,
      headers,
      credentials: 'same-origin',
      body: text,
      signal: signal ?? null,
    });
  } catch {
    throw new ApiError(OFFLINE);
  }
  noteDate(response.headers.get('Date'), asked, Date.now());
  if (!response.ok) throw new ApiError(await problemOf(response));
  return response;
}

export async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  return (await send('GET', path, undefined, {}, signal)).json() as Promise<T>;
}

/** What was read, with the version it is, as its ETag says. */
export type Tagged<T> = T & { etag: string };

async function tagged<T>(response: Response): Promise<Tagged<T>> {
  return { ...((await response.json()) as T), etag: response.headers.get('ETag') ?? '' };
}

export async function getTagged<T>(path: string): Promise<Tagged<T>> {
  return tagged(await send('GET', path));
}

/** Writes in place of the version it was made from; the node refuses when that does not hold any more. */
export async function putTagged<T>(path: string, body: unknown, etag: string): Promise<Tagged<T>> {
  return tagged(await send('PUT', path, body, etag === '' ? {} : { 'If-Match': etag }));
}

export async function post<T = void>(path: string, body?: unknown): Promise<T> {
  const response = await send('POST', path, body ?? {});
  const text = await response.text();
  return (text === '' ? undefined : JSON.parse(text)) as T;
}

/** A text and the version it is, as its ETag says. */
export interface Versioned {
  text: string;
  etag: string;
}

export async function getText(path: string): Promise<Versioned> {
  const response = await send('GET', path, undefined, { Accept: 'text/plain, application/problem+json' });
  return { text: await response.text(), etag: response.headers.get('ETag') ?? '' };
}

const PLAIN = { 'Content-Type': 'text/plain' };

export async function postText<T>(path: string, text: string): Promise<T> {
  return (await send('POST', path, text, PLAIN)).json() as Promise<T>;
}

/** Writes a text in place of the version it was made from; the node refuses when that is not in use any more. */
export async function putText<T>(path: string, { text, etag }: Versioned): Promise<T> {
  return (await send('PUT', path, text, { ...PLAIN, 'If-Match': etag })).json() as Promise<T>;
}

/** Sends a file as it is, and says how much of it is over: from 0 to 1. */
export function upload<T>(path: string, file: Blob, over: (share: number) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open('POST', `/api/v1${path}`);
    request.setRequestHeader('Accept', 'application/json, application/problem+json');
    request.setRequestHeader('Content-Type', 'application/json');
    request.setRequestHeader('X-Sereno-Request', '1');
    request.upload.onprogress = (event) => event.lengthComputable && over(event.loaded / event.total);
    request.onerror = () => reject(new ApiError(OFFLINE));
    request.onload = () => {
      if (request.status >= 200 && request.status < 300) return resolve(JSON.parse(request.responseText) as T);
      void problemOf(new Response(request.responseText, { status: request.status, statusText: request.statusText })).then((problem) => reject(new ApiError(problem)));
    };
    request.send(file);
  });
}

export async function put(path: string, body: unknown): Promise<void> {
  await send('PUT', path, body);
}

export async function patch(path: string, body: unknown): Promise<void> {
  await send('PATCH', path, body);
}

export async function putJson<T>(path: string, body: unknown): Promise<T> {
  return (await send('PUT', path, body)).json() as Promise<T>;
}

export async function remove(path: string): Promise<void> {
  await send('DELETE', path);
}

/** Builds `?a=1&b=2`, leaving out what is undefined or null. */
export function query(values: Record<string, string | number | null | undefined>): string {
  const kept = Object.entries(values).filter(([, value]) => value !== undefined && value !== null && value !== '');
  if (kept.length === 0) return '';
  return `?${new URLSearchParams(kept.map(([key, value]) => [key, String(value)])).toString()}`;
}
