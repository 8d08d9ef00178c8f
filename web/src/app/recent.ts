// Pages seen in this tab, the newest first.
export interface Seen {
  href: string;
  title: string;
}

const MAX_KEPT = 8;
let list: Seen[] = [];

export function saw(href: string, title: string): void {
  list = [{ href, title }, ...list.filter((one) => one.href !== href)].slice(0, MAX_KEPT + 1);
}

/** Without the page one is on. */
export const recent = (): Seen[] => list.slice(1);
