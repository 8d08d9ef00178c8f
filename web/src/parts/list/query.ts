// A query as its top-level terms: what chips show, and what filtering in and out changes. The node reads the query; here
// it is only cut where terms end, so that a person can turn one off.

export interface Chip {
  text: string;
  /** The term as it would be without its `-`. */
  plain: string;
  negated: boolean;
}

/** The terms that must all hold; one chip when an `OR` at the top holds them together. */
export function chips(query: string): Chip[] {
  const parts: string[] = [];
  let part = '';
  let depth = 0;
  let quoted = false;
  for (const sign of query) {
    if (sign === '"') quoted = !quoted;
    if (!quoted && sign === '(') depth += 1;
    if (!quoted && sign === ')') depth -= 1;
    if (!quoted && depth <= 0 && /\s/.test(sign)) {
      if (part) parts.push(part);
      part = '';
    } else part += sign;
  }
  if (part) parts.push(part);
  if (parts.includes('OR')) return [{ text: query.trim(), plain: query.trim(), negated: false }];
  const found: Chip[] = [];
  let negated = false;
  for (const one of parts) {
    if (one === 'AND') continue;
    if (one === 'NOT' || one === '-') {
      negated = !negated;
      continue;
    }
    const minus = one.startsWith('-');
    const plain = minus ? one.slice(1) : one;
    const not = negated !== minus;
    found.push({ text: not ? `-${plain}` : plain, plain, negated: not });
    negated = false;
  }
  return found;
}

export const join = (all: Chip[]) => all.map((chip) => (all.length > 1 && isOr(chip) ? `(${chip.text})` : chip.text)).join(' ');
const isOr = (chip: Chip) => chip.text.split(/\s+/).includes('OR') && !chip.text.startsWith('(');

/** A value behind a field, in quotes where it needs them. */
export function term(field: string, value: string): string {
  const plain = value !== '' && !/[\s()",]/.test(value);
  return `${field}:${plain ? value : `"${value.replaceAll('"', '')}"`}`;
}

/** The query with a term, for or against; the same term the other way round is replaced. */
export function withTerm(query: string, wanted: string, negated: boolean): string {
  const rest = chips(query).filter((chip) => chip.plain !== wanted);
  return join([...rest, { text: negated ? `-${wanted}` : wanted, plain: wanted, negated }]);
}

/** The query without its chip at a place. */
export const without = (query: string, place: number) => join(chips(query).filter((_, at) => at !== place));

/** The query with the chip at a place turned round. */
export function turned(query: string, place: number): string {
  return join(chips(query).map((chip, at) => (at === place ? { ...chip, negated: !chip.negated, text: chip.negated ? chip.plain : `-${chip.plain}` } : chip)));
}

export interface Field {
  name: string;
  kind: string;
  help: string;
  words: string[];
  has_order: boolean;
  facet: boolean;
}

export interface Offer {
  /** Replaces what stands between `from` and the cursor. */
  text: string;
  help: string;
  from: number;
}

const MAX_OFFERS = 12;

/** Ways to go on at the cursor: fields, or the words a field takes. */
export function offers(text: string, cursor: number, fields: Field[], values: Record<string, string[]>): Offer[] {
  const before = text.slice(0, cursor);
  if ((before.split('"').length - 1) % 2 === 1) return [];
  const start = Math.max(before.lastIndexOf(' '), before.lastIndexOf('(')) + 1;
  const from = before[start] === '-' ? start + 1 : start;
  const written = before.slice(from);
  const sign = /[:=<>]+/.exec(written);
  if (!sign) {
    const lower = written.toLowerCase();
    return fields.filter((field) => field.name.startsWith(lower)).slice(0, MAX_OFFERS).map((field) => ({ text: `${field.name}:`, help: field.help, from }));
  }
  const field = fields.find((one) => one.name === written.slice(0, sign.index).toLowerCase());
  if (!field) return [];
  const list = written.slice(sign.index + sign[0].length);
  const typed = list.slice(list.lastIndexOf(',') + 1).toLowerCase();
  const at = cursor - typed.length;
  const own = field.name === 'owner' || field.name === 'acknowledged_by' ? ['me', 'none'] : [];
  const known = [...new Set([...field.words, ...own, ...(values[field.name] ?? [])])];
  return known
    .filter((value) => value.toLowerCase().startsWith(typed) && value.toLowerCase() !== typed)
    .slice(0, MAX_OFFERS)
    .map((value) => ({ text: term('', value).slice(1), help: field.help, from: at }));
}
