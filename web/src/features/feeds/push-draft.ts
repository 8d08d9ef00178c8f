// What somebody fills in for a new push, and the request that is made of it.
import { SCHEMES } from './draft';

export const WHATS = ['known', 'collection', 'events'] as const;

export interface PushDraft {
  name: string;
  url: string;
  what: (typeof WHATS)[number];
  types: string;
  /** `root/collection` of this node. */
  collection: string;
  scheme: (typeof SCHEMES)[number];
  user: string;
  secret: string;
  highest: string;
  /** Id of the organisation that it goes to; empty: nobody is named. */
  for: string;
  every: number;
}

export const EMPTY: PushDraft = { name: '', url: '', what: 'known', types: '', collection: '', scheme: 'none', user: '', secret: '', highest: 'green', for: '', every: 60 };

function origin(draft: PushDraft): Record<string, unknown> {
  if (draft.what === 'events') return { what: 'events' };
  if (draft.what === 'known') return { what: 'known', types: draft.types.split(',').map((part) => part.trim()).filter((part) => part !== '') };
  const at = draft.collection.indexOf('/');
  return { what: 'collection', root: draft.collection.slice(0, at), collection: draft.collection.slice(at + 1) };
}

/** The body of `POST /pushes`. A secret goes only where one is wanted. */
export function request(draft: PushDraft): Record<string, unknown> {
  const body: Record<string, unknown> = { name: draft.name.trim(), url: draft.url.trim(), origin: origin(draft), highest: draft.highest, every_minutes: draft.every };
  if (draft.for !== '') body.for = draft.for;
  if (draft.scheme !== 'none') {
    body.auth = draft.scheme === 'basic' ? { scheme: 'basic', user: draft.user } : { scheme: draft.scheme };
    body.secret = draft.secret;
  }
  return body;
}
