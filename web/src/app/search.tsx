// The search over everything: results while one types, the keyboard through them, Enter opens.
import { useRouter } from '@tanstack/react-router';
import { Suspense, useEffect, useState } from 'react';
import { Icon } from '@/parts/icon';
import { t } from '@/strings/t';
import { soft } from './soft';

const SearchList = soft(() => import('./search-list'));

/** Somebody who types is not asked for every letter. */
const PAUSE_MS = 120;
/** One letter finds everything and says nothing. */
export const LEAST = 2;

const ADDRESS = /^(\d{1,3}(\.\d{1,3}){3}|[0-9a-f]*:[0-9a-f:]+|[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64})$/i;

/** Where Enter leads when no result is chosen: an address or a hash has its own page. */
export const answerTo = (text: string): string => (ADDRESS.test(text) ? `/intel?value=${encodeURIComponent(text)}` : `/search?q=${encodeURIComponent(text)}`);

export function SearchBox({ input }: { input: React.RefObject<HTMLInputElement | null> }) {
  const router = useRouter();
  const [typed, setTyped] = useState('');
  const [asked, setAsked] = useState('');
  const [open, setOpen] = useState(false);
  const [at, setAt] = useState(-1);
  const [found, setFound] = useState<string[]>([]);
  useEffect(() => {
    const timer = window.setTimeout(() => setAsked(typed.trim()), PAUSE_MS);
    return () => window.clearTimeout(timer);
  }, [typed]);
  const go = (href: string) => {
    setOpen(false);
    input.current?.blur();
    router.history.push(href);
  };
  const onKey = (event: React.KeyboardEvent<HTMLInputElement>) => {
    if (event.key === 'Escape') {
      if (open) setOpen(false);
      else event.currentTarget.blur();
    } else if (event.key === 'ArrowDown') setAt(Math.min(found.length - 1, at + 1));
    else if (event.key === 'ArrowUp') setAt(Math.max(-1, at - 1));
    else return;
    event.preventDefault();
  };
  const shown = open && typed.trim().length >= LEAST;
  return (
    <form
      role="search"
      className="search-form"
      onSubmit={(event) => {
        event.preventDefault();
        const text = typed.trim();
        if (text !== '') go((shown ? found[at] : undefined) ?? answerTo(text));
      }}
      onBlur={(event) => !event.currentTarget.contains(event.relatedTarget) && setOpen(false)}
    >
      <label className="search">
        <Icon name="search" />
        <span className="hidden-text">{t('frame.search')}</span>
        <input
          ref={input}
          type="search"
          placeholder={t('frame.search')}
          maxLength={200}
          autoComplete="off"
          role="combobox"
          aria-expanded={shown}
          aria-controls="search-list"
          aria-activedescendant={shown && at >= 0 ? `found-${at}` : undefined}
          value={typed}
          onChange={(event) => { setTyped(event.currentTarget.value); setOpen(true); setAt(-1); }}
          onFocus={() => setOpen(true)}
          onKeyDown={onKey}
        />
        <kbd aria-hidden="true">/</kbd>
      </label>
      {shown && <Suspense><SearchList typed={typed.trim()} asked={asked} at={at} onFound={setFound} onPick={go} /></Suspense>}
    </form>
  );
}
