// The keyboard, for everything that has no field under the cursor.
import { useEffect } from 'react';

export interface KeyActions {
  search: () => void;
  help: () => void;
  commands: () => void;
}

/** True when a key typed now belongs to a field. */
export function typing(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  return target.isContentEditable || ['INPUT', 'TEXTAREA', 'SELECT'].includes(target.tagName);
}

function step(direction: 1 | -1): void {
  const rows = [...document.querySelectorAll<HTMLElement>('main [data-row]')];
  if (rows.length === 0) return;
  const at = rows.indexOf(document.activeElement as HTMLElement);
  const next = at < 0 ? (direction === 1 ? 0 : rows.length - 1) : Math.min(rows.length - 1, Math.max(0, at + direction));
  rows[next]?.focus();
}

function press(selector: string): void {
  document.querySelector<HTMLElement>(`main ${selector}`)?.click();
}

export function useKeys(actions: KeyActions): void {
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'k') {
        event.preventDefault();
        actions.commands();
        return;
      }
      if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
      if (document.querySelector('[role="dialog"], [role="menu"]')) return;
      const act: Record<string, () => void> = {
        '/': actions.search,
        '?': actions.help,
        j: () => step(1),
        k: () => step(-1),
        a: () => press('[data-key="a"]'),
        e: () => press('[data-key="e"]'),
        p: () => press('[data-key="p"]'),
      };
      const found = act[event.key];
      if (!found) return;
      event.preventDefault();
      found();
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, [actions]);
}
