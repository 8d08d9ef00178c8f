// Texts from outside become a playbook here, or are refused with the place, the limit and the remedy.
import { count } from '@/parts/format';
import { t } from '@/strings/pages';
import { isObj, type Doc } from './document';

/** As much as the node takes. */
export const MAX_PLAYBOOK_BYTES = 1024 * 1024;
/** As deep as the node reads. */
const MAX_DEPTH = 128;

export type Read = { doc: Doc; why: null } | { doc: null; why: string };

export function readPlaybook(source: string): Read {
  const size = new TextEncoder().encode(source).length;
  if (size > MAX_PLAYBOOK_BYTES) return refused(t('edit.too_large', { size: count(size), limit: count(MAX_PLAYBOOK_BYTES) }));
  let value: unknown;
  try {
    value = JSON.parse(source);
  } catch (error) {
    return refused(t('edit.not_json', { why: error instanceof Error ? error.message : '' }));
  }
  if (!isObj(value)) return refused(t('edit.not_object'));
  if (value.type !== 'playbook') return refused(t('edit.not_playbook', { type: typeof value.type === 'string' ? value.type : '–' }));
  if (deeper(value, MAX_DEPTH)) return refused(t('edit.too_deep', { limit: MAX_DEPTH }));
  const number = inexact(source);
  if (number !== null) return refused(t('edit.inexact', { number }));
  return { doc: value, why: null };
}

const refused = (why: string): Read => ({ doc: null, why });

function deeper(value: unknown, left: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return left <= 0 || Object.values(value).some((one) => deeper(one, left - 1));
}

/** A number that the browser would change by reading it (RFC 8785 forbids such numbers as well). */
function inexact(source: string): string | null {
  for (const [token] of source.matchAll(/"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g)) {
    if (token.startsWith('"')) continue;
    const number = Number(token);
    if (!Number.isFinite(number) || (/^-?\d+$/.test(token) && !Number.isSafeInteger(number))) return token.slice(0, 40);
  }
  return null;
}
