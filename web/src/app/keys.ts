// The keyboard, for everything that has no field under the cursor. One table binds the keys and is what the help shows.
import { useEffect } from 'react';
import type { Key } from '@/strings/t';
import { kept, type KeyGroup } from './kept';
import { undo } from './undo';

export interface KeyActions {
  search: () => void;
  help: () => void;
  commands: () => void;
  go: (to: string) => void;
}

/** A key, or two one after the other. `group` is null where switching keys off changes nothing. */
export interface Binding {
  keys: string;
  group: KeyGroup | null;
  text: Key;
  act?: (actions: KeyActions) => void;
}

/** The second key of two comes within this. */
const SECOND_MS = 1_200;

const go = (letter: string, text: Key, to: string): Binding => ({ keys: `g ${letter}`, group: 'go', text, act: (actions) => actions.go(to) });
const acting = (key: string, text: Key): Binding => ({ keys: key, group: 'act', text, act: () => press(`[data-key="${key}"]`) });

export const BINDINGS: Binding[] = [
  { keys: '/', group: 'go', text: 'help.search', act: (actions) => actions.search() },
  { keys: 'Ctrl K', group: null, text: 'help.commands' },
  go('s', 'nav.situation', '/'),
  go('i', 'nav.incidents', '/incidents'),
  go('f', 'nav.findings', '/findings'),
  go('d', 'nav.devices', '/devices'),
  go('p', 'nav.playbooks', '/playbooks'),
  go('a', 'nav.approvals', '/approvals'),
  go('g', 'nav.gateways', '/gateways'),
  go('k', 'nav.knowledge', '/knowledge'),
  go('l', 'nav.ledger', '/ledger'),
  go('h', 'nav.health', '/health'),
  { keys: 'j', group: 'move', text: 'help.down', act: () => step(1) },
  { keys: 'k', group: 'move', text: 'help.up', act: () => step(-1) },
  { keys: 'x', group: 'move', text: 'help.select', act: () => select() },
  { keys: 'Enter', group: null, text: 'help.enter' },
  acting('a', 'help.acknowledge'),
  acting('e', 'help.state'),
  acting('p', 'help.pause'),
  acting('n', 'help.news'),
  { keys: 'Ctrl Z', group: 'undo', text: 'help.undo' },
  { keys: '?', group: 'go', text: 'help.this', act: (actions) => actions.help() },
  { keys: 'Esc', group: null, text: 'help.escape' },
];

/** True when a key typed now belongs to a field. */
export function typing(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  return target.isContentEditable || ['INPUT', 'TEXTAREA', 'SELECT'].includes(target.tagName);
}

const rowsOf = () => [...document.querySelectorAll<HTMLElement>('main [data-row]')];

function step(direction: 1 | -1): void {
  const rows = rowsOf();
  if (rows.length === 0) return;
  const at = rows.findIndex((row) => row === document.activeElement || row.closest('tr')?.contains(document.activeElement));
  const next = at < 0 ? (direction === 1 ? 0 : rows.length - 1) : Math.min(rows.length - 1, Math.max(0, at + direction));
  rows[next]?.focus();
}

/** Selects the line that is under the focus, where lines can be selected. */
function select(): void {
  document.activeElement?.closest('tr, li')?.querySelector<HTMLElement>('input[type="checkbox"]')?.click();
}

function press(selector: string): void {
  document.querySelector<HTMLElement>(`main ${selector}`)?.click();
}

export function isOn(binding: Binding): boolean {
  const { keys, keys_off: off } = kept();
  return binding.group === null || (keys !== false && !off?.includes(binding.group));
}

/** The binding of what was typed, after the key before it. */
export function bound(before: string | null, key: string): Binding | undefined {
  const typed = before === null ? key : `${before} ${key}`;
  return BINDINGS.find((one) => one.keys === typed && one.act !== undefined && isOn(one));
}

export function useKeys(actions: KeyActions): void {
  useEffect(() => {
    let before: string | null = null;
    let timer: number | undefined;
    const onKey = (event: KeyboardEvent) => {
      const ctrl = event.ctrlKey || event.metaKey;
      if (ctrl && event.key.toLowerCase() === 'k') {
        event.preventDefault();
        actions.commands();
        return;
      }
      if (typing(event.target) || event.altKey) return;
      if (ctrl && !event.shiftKey && event.key.toLowerCase() === 'z' && isOn(BINDINGS.find((one) => one.group === 'undo')!)) {
        event.preventDefault();
        void undo();
        return;
      }
      if (ctrl || document.querySelector('[role="dialog"], [role="menu"]')) return;
      const found = bound(before, event.key);
      const begins = before === null && event.key === 'g' && BINDINGS.some((one) => one.keys.startsWith('g ') && isOn(one));
      window.clearTimeout(timer);
      before = begins ? event.key : null;
      if (begins) timer = window.setTimeout(() => (before = null), SECOND_MS);
      if (!found) return;
      event.preventDefault();
      found.act?.(actions);
    };
    window.addEventListener('keydown', onKey);
    return () => {
      window.clearTimeout(timer);
      window.removeEventListener('keydown', onKey);
    };
  }, [actions]);
}
