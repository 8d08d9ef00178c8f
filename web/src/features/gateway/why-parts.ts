export interface WhyPart {
  /** The words, or the identity that they name. */
  text: string;
  to: 'run' | 'incident' | null;
}

const NAMED = /\b(run|incident) ([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})\b/g;

/** "run ID for incident ID", cut where it names something that has a page. */
export function whyParts(why: string): WhyPart[] {
  const parts: WhyPart[] = [];
  let from = 0;
  for (const match of why.matchAll(NAMED)) {
    if (match.index > from) parts.push({ text: why.slice(from, match.index), to: null });
    parts.push({ text: match[2] ?? '', to: match[1] as 'run' | 'incident' });
    from = match.index + match[0].length;
  }
  if (from < why.length) parts.push({ text: why.slice(from), to: null });
  return parts;
}
