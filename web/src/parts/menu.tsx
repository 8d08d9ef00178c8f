// A small menu of our own (WAI-ARIA menu button): the library's brings a positioning engine
// that would be a sixth of the first page.
import { useEffect, useLayoutEffect, useRef, useState, type ReactNode } from 'react';
import { createPortal } from 'react-dom';
import { Icon, type IconName } from './icon';
import './menu.css';

export type MenuEntry =
  | { key: string; label: ReactNode }
  | { key: string; line: true }
  | { key: string; text: string; more?: string; icon?: IconName; end?: ReactNode; checked?: boolean; stays?: boolean; act: () => void };

interface MenuProps {
  /** The menu's name. */
  label: string;
  /** True where the trigger shows no words: then the label names it too. */
  wordless?: boolean;
  trigger: ReactNode;
  className?: string;
  entries: MenuEntry[];
  width?: number;
  onOpen?: () => void;
}

const EDGE = 8;

export function MenuButton({ label, wordless, trigger, className, entries, width = 230, onOpen }: MenuProps) {
  const [open, setOpen] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  const close = (back: boolean) => {
    setOpen(false);
    if (back) button.current?.focus();
  };
  return (
    <>
      <button
        ref={button}
        type="button"
        className={className}
        aria-label={wordless ? label : undefined}
        title={wordless ? label : undefined}
        aria-haspopup="menu"
        aria-expanded={open}
        onClick={() => {
          if (!open) onOpen?.();
          setOpen(!open);
        }}
        onKeyDown={(event) => {
          if (event.key !== 'ArrowDown') return;
          event.preventDefault();
          setOpen(true);
        }}
      >
        {trigger}
      </button>
      {open && createPortal(<List label={label} entries={entries} width={width} anchor={button} close={close} />, document.body)}
    </>
  );
}

interface ListProps {
  label: string;
  entries: MenuEntry[];
  width: number;
  anchor: React.RefObject<HTMLButtonElement | null>;
  close: (back: boolean) => void;
}

function List({ label, entries, width, anchor, close }: ListProps) {
  const list = useRef<HTMLDivElement>(null);
  const [place, setPlace] = useState<React.CSSProperties>({ opacity: 0 });
  useLayoutEffect(() => {
    const at = anchor.current?.getBoundingClientRect();
    const height = list.current?.offsetHeight ?? 0;
    if (!at) return;
    const left = Math.max(EDGE, Math.min(at.left, window.innerWidth - width - EDGE));
    const below = at.bottom + 4 + height <= window.innerHeight - EDGE;
    setPlace({ opacity: 1, left, top: below ? at.bottom + 4 : Math.max(EDGE, at.top - 4 - height) });
  }, [anchor, width]);
  useEffect(() => {
    // Not `visibility` above: with a transition on it (reduced motion sets one) the item could not take the focus yet.
    list.current?.querySelector<HTMLElement>('[role^="menuitem"]')?.focus();
  }, []);
  useEffect(() => {
    const away = (event: Event) => {
      const target = event.target as Node;
      if (!list.current?.contains(target) && !anchor.current?.contains(target)) close(false);
    };
    // Wherever the focus went meanwhile, Escape closes.
    const escape = (event: KeyboardEvent) => event.key === 'Escape' && close(true);
    document.addEventListener('keydown', escape);
    document.addEventListener('pointerdown', away);
    window.addEventListener('resize', away);
    document.addEventListener('scroll', away, true);
    return () => {
      document.removeEventListener('keydown', escape);
      document.removeEventListener('pointerdown', away);
      window.removeEventListener('resize', away);
      document.removeEventListener('scroll', away, true);
    };
  });
  return (
    <div ref={list} role="menu" aria-label={label} className="menu" style={{ width, ...place }} onKeyDown={(event) => walk(event, list.current, close)}>
      {entries.map((entry) => <Entry key={entry.key} entry={entry} close={close} />)}
    </div>
  );
}

function Entry({ entry, close }: { entry: MenuEntry; close: (back: boolean) => void }) {
  if ('line' in entry) return <div role="separator" className="menu-line" />;
  if ('label' in entry) return <div className="menu-label" role="presentation">{entry.label}</div>;
  const choice = entry.checked !== undefined;
  return (
    <button
      type="button"
      tabIndex={-1}
      role={choice ? 'menuitemradio' : 'menuitem'}
      aria-checked={entry.checked}
      onClick={() => {
        if (!entry.stays) close(true);
        entry.act();
      }}
    >
      {entry.icon && <Icon name={entry.icon} />}
      <span className="grow">{entry.text}{entry.more && <span className="menu-more">{entry.more}</span>}</span>
      {entry.checked && <Icon name="check" size={14} />}
      {entry.end}
    </button>
  );
}

function walk(event: React.KeyboardEvent, list: HTMLElement | null, close: (back: boolean) => void): void {
  const items = [...(list?.querySelectorAll<HTMLElement>('[role^="menuitem"]') ?? [])];
  const at = items.indexOf(document.activeElement as HTMLElement);
  const to: Record<string, number> = { ArrowDown: (at + 1) % items.length, ArrowUp: (at - 1 + items.length) % items.length, Home: 0, End: items.length - 1 };
  const next = to[event.key];
  if (next !== undefined) items[next]?.focus();
  else if (event.key === 'Escape') close(true);
  else if (event.key === 'Tab') close(true);
  else return;
  event.preventDefault();
  event.stopPropagation();
}
