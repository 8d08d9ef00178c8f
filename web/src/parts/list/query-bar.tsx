// The query of a list: written with completion, shown as chips that can be turned round or off.
import { useQuery } from '@tanstack/react-query';
import { useEffect, useId, useLayoutEffect, useMemo, useRef, useState } from 'react';
import { ApiError } from '@/api/client';
import { Button } from '@/parts/button';
import { Icon } from '@/parts/icon';
import { t } from '@/strings/pages';
import { chips, offers, turned, without, type Offer } from './query';
import { listReads } from './reads';

interface QueryBarProps {
  noun: string;
  query: string;
  onQuery: (query: string) => void;
  /** What the node said of the query. */
  error: unknown;
}

export function QueryBar({ noun, query, onQuery, error }: QueryBarProps) {
  const [typed, setTyped] = useState(query);
  const [cursor, setCursor] = useState(query.length);
  const [open, setOpen] = useState(false);
  const [at, setAt] = useState(-1);
  const input = useRef<HTMLInputElement>(null);
  const caret = useRef<number | null>(null);
  const list = useId();
  const said = useId();
  useEffect(() => setTyped(query), [query]);
  // With the text that was taken, not a frame later: whoever types on quickly must not find the caret behind.
  useLayoutEffect(() => {
    if (caret.current !== null) input.current?.setSelectionRange(caret.current, caret.current);
    caret.current = null;
  }, [typed]);
  const described = useQuery(listReads.fields(noun));
  const fields = useMemo(() => described.data?.fields ?? [], [described.data]);
  const field = /(?:^|[\s(-])([a-z_]+)[:=][^\s]*$/.exec(typed.slice(0, cursor))?.[1];
  const counted = fields.some((one) => one.name === field && one.facet && one.words.length === 0);
  const values = useQuery({ ...listReads.facets(noun, '', field ?? ''), enabled: open && counted });
  const found = open ? offers(typed, cursor, fields, Object.fromEntries((values.data?.facets ?? []).map((one) => [one.field, one.values.map((it) => it.value)]))) : [];
  const problem = error instanceof ApiError && error.problem.status === 400 ? error.problem : undefined;
  const place = Number(/at character (\d+)/.exec(problem?.detail ?? '')?.[1] ?? 0);

  const take = (offer: Offer) => {
    const next = typed.slice(0, offer.from) + offer.text + typed.slice(cursor);
    const end = offer.from + offer.text.length;
    setTyped(next);
    setCursor(end);
    setAt(-1);
    caret.current = end;
  };
  const onKey = (event: React.KeyboardEvent) => {
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault();
      setOpen(true);
      const step = event.key === 'ArrowDown' ? 1 : -1;
      setAt(found.length === 0 ? -1 : (at + step + found.length + (at < 0 && step < 0 ? 1 : 0)) % found.length);
    } else if (event.key === 'Escape' && open) {
      event.stopPropagation();
      setOpen(false);
      setAt(-1);
    } else if ((event.key === 'Enter' || event.key === 'Tab') && at >= 0 && found[at]) {
      event.preventDefault();
      take(found[at]);
    }
  };

  return (
    <div className="stack tight">
      <form
        className="list-query"
        role="search"
        onSubmit={(event) => {
          event.preventDefault();
          setOpen(false);
          onQuery(typed.trim());
        }}
      >
        <div className="list-input">
          <Icon name="search" />
          <input
            ref={input}
            type="text"
            role="combobox"
            aria-label={t('list.query')}
            aria-expanded={found.length > 0}
            aria-controls={list}
            aria-autocomplete="list"
            aria-activedescendant={at >= 0 ? `${list}-${at}` : undefined}
            aria-invalid={problem !== undefined}
            aria-describedby={problem ? said : undefined}
            autoComplete="off"
            spellCheck={false}
            maxLength={4096}
            placeholder={t('list.query_example')}
            value={typed}
            onChange={(event) => {
              setTyped(event.target.value);
              setCursor(event.target.selectionStart ?? event.target.value.length);
              setOpen(true);
              setAt(-1);
            }}
            onSelect={(event) => setCursor(event.currentTarget.selectionStart ?? 0)}
            onFocus={() => setOpen(true)}
            onBlur={() => setOpen(false)}
            onKeyDown={onKey}
          />
          {found.length > 0 && (
            <ul role="listbox" id={list} aria-label={t('list.offers')} className="list-offers">
              {found.map((offer, index) => (
                // The pointer must not take the focus from the field, or the list closes before the click.
                <li key={offer.text} id={`${list}-${index}`} role="option" aria-selected={index === at} onPointerDown={(event) => event.preventDefault()} onClick={() => take(offer)}>
                  <b className="mono">{offer.text}</b>
                  <span className="quiet clip">{offer.help}</span>
                </li>
              ))}
            </ul>
          )}
        </div>
        <Button type="submit">{t('list.ask')}</Button>
      </form>
      {problem && (
        <div id={said} role="alert" className="list-error small">
          {place > 0 && <pre aria-hidden="true" className="mono">{`${query}\n${' '.repeat(place - 1)}▲`}</pre>}
          <b>{problem.detail}</b> {problem.remedy}
        </div>
      )}
      {query !== '' && !problem && (
        <ul className="list-chips" aria-label={t('list.chips')}>
          {chips(query).map((chip, index) => (
            <li key={`${index}${chip.text}`} className={chip.negated ? 'not' : ''}>
              <button type="button" title={t('list.turn')} onClick={() => onQuery(turned(query, index))}>
                {chip.negated && <span className="strong">{t('list.not')} </span>}<span className="mono">{chip.plain}</span>
              </button>
              <button type="button" aria-label={t('list.without', { term: chip.text })} onClick={() => onQuery(without(query, index))}><Icon name="cross" size={10} /></button>
            </li>
          ))}
          <li className="bare"><button type="button" onClick={() => onQuery('')}>{t('list.clear')}</button></li>
        </ul>
      )}
    </div>
  );
}
