import type { Finding } from '@/api/types';

/** What the scope of "this is normal" becomes on the wire. */
export type ScopeChoice = 'finding' | 'metric' | 'peer' | 'technique' | 'device';

/** The scopes a finding offers, the narrowest sensible one first. */
export function scopesOf(finding: Finding): ScopeChoice[] {
  const found: ScopeChoice[] = ['finding'];
  if (finding.evidence.length > 0) found.push('peer');
  if (finding.why.length > 0) found.push('metric');
  if (finding.techniques.length > 0) found.push('technique');
  found.push('device');
  return found;
}

/** The body's scope for a choice; `part` is the metric, the technique, or the place in the evidence. */
export function scopeBody(finding: Finding, choice: ScopeChoice, part: string): Record<string, unknown> {
  switch (choice) {
    case 'finding':
      return {};
    case 'metric':
      return { metric: part };
    case 'technique':
      return { technique: part };
    case 'device':
      return { whole_device: true };
    case 'peer': {
      const one = finding.evidence[Number(part)] ?? finding.evidence[0];
      if (!one) return {};
      return { peer: one.peer, protocol: one.protocol, ...(one.port === null ? {} : { port: one.port }) };
    }
  }
}

const DAY = 86_400_000;
export const SPANS = { day: DAY, week: 7 * DAY, month: 30 * DAY, never: null } as const;
export type Span = keyof typeof SPANS;

/** The end of a span that begins now; nothing when it ends only by a person's word. */
export function untilOf(span: Span, now: number): string | undefined {
  const length = SPANS[span];
  return length === null ? undefined : new Date(now + length).toISOString();
}
