// When this person looked at the first page last, in this browser: a visit counts as over after a while away.
const KEY = 'sereno-here';
const VISIT_MS = 30 * 60_000;

interface Here {
  /** When the visit before this one ended. */
  before: string | null;
  /** When the page was last open. */
  last: string;
}

/** Reads and renews the mark; pure but for what is handed in. */
export function visit(stored: string | null, now: number): Here {
  const iso = new Date(now).toISOString();
  try {
    const here = stored === null ? null : (JSON.parse(stored) as Here);
    const last = here ? Date.parse(here.last) : Number.NaN;
    if (!here || Number.isNaN(last) || last > now) return { before: null, last: iso };
    return now - last > VISIT_MS ? { before: here.last, last: iso } : { before: here.before, last: iso };
  } catch {
    return { before: null, last: iso };
  }
}

export function sinceLastHere(): string | null {
  try {
    const here = visit(localStorage.getItem(KEY), Date.now());
    localStorage.setItem(KEY, JSON.stringify(here));
    return here.before;
  } catch {
    return null;
  }
}
