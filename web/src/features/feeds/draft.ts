// What somebody fills in for a new feed, and the request that is made of it.
export const FORMS = ['plain', 'csv', 'json', 'kev', 'free-text', 'taxii', 'misp-feed', 'misp-server', 'csaf'] as const;
export const SCHEMES = ['none', 'basic', 'bearer', 'key'] as const;
export const TLPS = ['clear', 'green', 'amber', 'amber+strict', 'red'];

export interface Draft {
  name: string;
  url: string;
  form: (typeof FORMS)[number];
  scheme: (typeof SCHEMES)[number];
  user: string;
  secret: string;
  kinds: string;
  value: string;
  collections: string;
  types: string;
  tags: string;
  orgs: string;
  since: string;
  tlp: string;
  every: number;
}

export const EMPTY: Draft = { name: '', url: '', form: 'plain', scheme: 'none', user: '', secret: '', kinds: '', value: '', collections: '', types: '', tags: '', orgs: '', since: '', tlp: 'clear', every: 60 };

/** Whether it is a server that is asked rather than one file. */
export function asked(form: Draft['form']): boolean {
  return form === 'taxii' || form === 'misp-feed' || form === 'misp-server' || form === 'csaf';
}

function list(text: string): string[] {
  return text.split(',').map((part) => part.trim()).filter((part) => part !== '');
}

function format(draft: Draft): Record<string, unknown> {
  const since = draft.since.trim() === '' ? {} : { since: draft.since.trim() };
  switch (draft.form) {
    case 'taxii':
      return { form: 'taxii', collections: list(draft.collections), types: list(draft.types), ...('since' in since ? { added_after: since.since } : {}) };
    case 'misp-feed':
      return { form: 'misp-feed', tags: list(draft.tags), orgs: list(draft.orgs) };
    case 'misp-server':
      return { form: 'misp-server', tags: list(draft.tags), orgs: list(draft.orgs), ...since };
    case 'csaf':
      return { form: 'csaf', ...since };
    case 'kev':
      return { form: 'kev' };
    case 'csv':
    case 'json':
      return { form: draft.form, kinds: list(draft.kinds), ...(draft.value.trim() === '' ? {} : { value: draft.value.trim() }) };
    default:
      return { form: draft.form, kinds: list(draft.kinds) };
  }
}

/** The body of `POST /feeds`. A secret goes only where one is wanted. */
export function request(draft: Draft): Record<string, unknown> {
  const body: Record<string, unknown> = { name: draft.name.trim(), format: format(draft), tlp: draft.tlp, every_minutes: draft.every };
  if (draft.url.trim() !== '') body.url = draft.url.trim();
  if (asked(draft.form) && draft.scheme !== 'none') {
    body.auth = draft.scheme === 'basic' ? { scheme: 'basic', user: draft.user } : { scheme: draft.scheme };
    body.secret = draft.secret;
  }
  return body;
}
