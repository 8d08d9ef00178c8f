// The API's description as the page needs it: operations by section, examples, a curl line. No network, no React.

export interface Schema {
  $ref?: string;
  type?: string | string[];
  format?: string;
  description?: string;
  enum?: unknown[];
  const?: unknown;
  default?: unknown;
  example?: unknown;
  items?: Schema;
  properties?: Record<string, Schema>;
  additionalProperties?: Schema | boolean;
  required?: string[];
  oneOf?: Schema[];
  anyOf?: Schema[];
  allOf?: Schema[];
  minimum?: number;
  maximum?: number;
}

export interface Parameter {
  name: string;
  in: string;
  description?: string;
  required?: boolean;
  schema?: Schema;
}

type Content = Record<string, { schema?: Schema }>;

interface RawOperation {
  operationId?: string;
  tags?: string[];
  summary?: string;
  description?: string;
  parameters?: Parameter[];
  requestBody?: { required?: boolean; content?: Content };
  responses?: Record<string, { description?: string; content?: Content }>;
}

export interface Description {
  info: { title: string; version: string; description?: string };
  paths: Record<string, Record<string, RawOperation>>;
  components?: { schemas?: Record<string, Schema> };
}

export interface Operation {
  id: string;
  method: string;
  path: string;
  section: string;
  summary: string;
  description: string;
  parameters: Parameter[];
  body: { kind: string; required: boolean; schema: Schema } | null;
  answers: { status: string; description: string; kind: string; schema: Schema | null }[];
  /** What a search looks through, in lower case. */
  words: string;
}

const METHODS = ['get', 'post', 'put', 'patch', 'delete', 'head', 'options'];

function first(content: Content | undefined): { kind: string; schema: Schema | null } {
  const [kind, media] = Object.entries(content ?? {})[0] ?? ['', undefined];
  return { kind, schema: media?.schema ?? null };
}

/** Every operation, by section, then path, then method. */
export function operationsOf(description: Description): Operation[] {
  const all = Object.entries(description.paths).flatMap(([path, item]) =>
    METHODS.filter((method) => item[method]).map((method): Operation => {
      const raw = item[method]!;
      const asked = first(raw.requestBody?.content);
      const id = raw.operationId ?? `${method} ${path}`;
      const section = raw.tags?.[0] ?? 'other';
      const summary = raw.summary ?? '';
      return {
        id,
        method: method.toUpperCase(),
        path,
        section,
        summary,
        description: raw.description ?? '',
        parameters: raw.parameters ?? [],
        body: raw.requestBody ? { kind: asked.kind, required: raw.requestBody.required ?? false, schema: asked.schema ?? {} } : null,
        answers: Object.entries(raw.responses ?? {}).map(([status, answer]) => ({ status, description: answer.description ?? '', ...first(answer.content) })),
        words: `${method} ${path} ${id} ${section} ${summary} ${(raw.parameters ?? []).map((one) => one.name).join(' ')}`.toLowerCase(),
      };
    }),
  );
  return all.sort((a, b) => a.section.localeCompare(b.section, 'en') || a.path.localeCompare(b.path, 'en') || METHODS.indexOf(a.method.toLowerCase()) - METHODS.indexOf(b.method.toLowerCase()));
}

/** Operations that have every word of the question. */
export function found(operations: Operation[], question: string): Operation[] {
  const words = question.toLowerCase().split(/\s+/).filter(Boolean);
  return operations.filter((one) => words.every((word) => one.words.includes(word)));
}

/** The name of a shape that is referred to. */
export function refName(schema: Schema): string | null {
  return schema.$ref?.split('/').at(-1) ?? null;
}

export function resolve(description: Description, schema: Schema): Schema {
  const name = refName(schema);
  return name === null ? schema : (description.components?.schemas?.[name] ?? {});
}

/** A shape without its `null`, and whether it may be null. */
export function plain(schema: Schema): { schema: Schema; nullable: boolean } {
  const choices = schema.oneOf ?? schema.anyOf;
  if (choices) {
    const rest = choices.filter((one) => one.type !== 'null');
    if (rest.length === 1 && rest.length < choices.length) {
      const only = rest[0]!;
      return { schema: schema.description ? { ...only, description: schema.description } : only, nullable: true };
    }
  }
  if (Array.isArray(schema.type) && schema.type.includes('null')) {
    const rest = schema.type.filter((one) => one !== 'null');
    return { schema: { ...schema, type: rest.length === 1 ? rest[0]! : rest }, nullable: true };
  }
  return { schema, nullable: false };
}

/** A type in a few words: `text`, `list of Incident`, `open | closed`. */
export function typeOf(description: Description, raw: Schema): string {
  const { schema } = plain(raw);
  const name = refName(schema);
  if (name !== null) {
    const target = resolve(description, schema);
    return target.enum ? target.enum.map(String).join(' | ') : name;
  }
  if (schema.enum) return schema.enum.map(String).join(' | ');
  if (schema.const !== undefined) return String(schema.const);
  if (schema.type === 'array') return `list of ${typeOf(description, schema.items ?? {})}`;
  const choices = schema.oneOf ?? schema.anyOf;
  if (choices) return choices.map((one) => typeOf(description, one)).join(' | ');
  const words = (Array.isArray(schema.type) ? schema.type : [schema.type ?? (schema.properties || schema.allOf ? 'object' : 'anything')]).join(' | ');
  return words.replaceAll('string', 'text').replaceAll('boolean', 'true | false').replaceAll('integer', 'whole number');
}

/** The keys of an object, those of its parts (`allOf`) included. */
export function keysOf(description: Description, raw: Schema): { name: string; schema: Schema; required: boolean }[] {
  const schema = resolve(description, plain(raw).schema);
  const parts = (schema.allOf ?? []).flatMap((part) => keysOf(description, part));
  const own = Object.entries(schema.properties ?? {}).map(([name, one]) => ({ name, schema: one, required: schema.required?.includes(name) ?? false }));
  return [...parts, ...own];
}

/** Examples go no deeper: shapes may contain themselves. */
const MAX_EXAMPLE_DEPTH = 4;

/** A value that has the shape: required keys alone, as little as passes. */
export function exampleOf(description: Description, raw: Schema, depth = 0): unknown {
  const schema = resolve(description, plain(raw).schema);
  if (schema.example !== undefined) return schema.example;
  if (schema.default !== undefined && schema.default !== null) return schema.default;
  if (schema.const !== undefined) return schema.const;
  if (schema.enum) return schema.enum[0];
  const choice = (schema.oneOf ?? schema.anyOf)?.[0];
  if (choice) return depth < MAX_EXAMPLE_DEPTH ? exampleOf(description, choice, depth + 1) : null;
  const type = Array.isArray(schema.type) ? schema.type[0] : schema.type;
  switch (type) {
    case 'array':
      return depth < MAX_EXAMPLE_DEPTH && schema.items ? [exampleOf(description, schema.items, depth + 1)] : [];
    case 'integer':
    case 'number':
      return schema.minimum ?? 1;
    case 'boolean':
      return true;
    case 'string':
      return schema.format === 'date-time' ? '2026-01-31T12:00:00Z' : '…';
    default: {
      if (depth >= MAX_EXAMPLE_DEPTH) return {};
      const keys = keysOf(description, schema);
      const wanted = keys.some((key) => key.required) ? keys.filter((key) => key.required) : keys.filter((key) => !plain(key.schema).nullable);
      return Object.fromEntries(wanted.map((key) => [key.name, exampleOf(description, key.schema, depth + 1)]));
    }
  }
}

/** One argument of a POSIX shell. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** The operation as a line for a terminal; the token stays in a variable, never in the history. */
export function curlOf(description: Description, operation: Operation, origin: string, open: boolean): string {
  const path = operation.path.replace(/\{(\w+)\}/g, (_, name: string) => name.toUpperCase());
  const asked = operation.parameters.filter((one) => one.in === 'query' && one.required).map((one) => `${one.name}=${one.name.toUpperCase()}`);
  const url = `${origin}${path}${asked.length > 0 ? `?${asked.join('&')}` : ''}`;
  const lines = [operation.method === 'GET' ? 'curl' : `curl -X ${operation.method}`];
  if (!open) lines.push('-H "Authorization: Bearer $SERENO_TOKEN"');
  for (const one of operation.parameters.filter((one) => one.in === 'header' && one.required)) lines.push(`-H ${quoted(`${one.name}: …`)}`);
  if (operation.body) {
    const json = operation.body.kind.includes('json') || operation.body.kind === '';
    lines.push(`-H ${quoted(`Content-Type: ${operation.body.kind || 'application/json'}`)}`);
    lines.push(json ? `-d ${quoted(JSON.stringify(exampleOf(description, operation.body.schema)))}` : '--data-binary @FILE');
  }
  lines.push(quoted(url));
  return lines.join(' \\\n  ');
}
