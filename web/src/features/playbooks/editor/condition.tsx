// A condition, with the variables that may stand in it offered while a name is typed.
import { Textarea } from '@mantine/core';
import { useId, useRef, useState } from 'react';
import { t } from '@/strings/pages';
import { completed, offersAt, type Offer } from '../model/complete';

interface ConditionProps {
  label: string;
  value: string;
  variables: { name: string; type: string }[];
  onChange: (value: string) => void;
}

const MOST = 8;

export function Condition({ label, value, variables, onChange }: ConditionProps) {
  const field = useRef<HTMLTextAreaElement>(null);
  const list = useId();
  const [offers, setOffers] = useState<Offer[]>([]);
  const [at, setAt] = useState(0);
  const look = (source: string, caret: number) => {
    setOffers(offersAt(source, caret, variables).slice(0, MOST));
    setAt(0);
  };
  const take = (offer: Offer | undefined) => {
    if (!offer) return;
    const { text, caret } = completed(value, offer);
    onChange(text);
    setOffers([]);
    requestAnimationFrame(() => {
      field.current?.focus();
      field.current?.setSelectionRange(caret, caret);
    });
  };
  const onKeyDown = (event: React.KeyboardEvent) => {
    if (offers.length === 0) return;
    if (event.key === 'ArrowDown') setAt((at + 1) % offers.length);
    else if (event.key === 'ArrowUp') setAt((at - 1 + offers.length) % offers.length);
    else if (event.key === 'Enter' || event.key === 'Tab') take(offers[at]);
    else if (event.key === 'Escape') setOffers([]);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div className="completing">
      <Textarea
        ref={field} size="xs" autosize minRows={2} maxRows={8} label={label} description={t('edit.condition_note')} spellCheck={false} styles={{ input: { fontFamily: 'var(--mono)', fontSize: 12 } }} value={value}
        role="combobox" aria-expanded={offers.length > 0} aria-controls={list} aria-autocomplete="list" aria-activedescendant={offers.length > 0 ? `${list}-${at}` : undefined}
        onKeyDown={onKeyDown}
        onBlur={() => setOffers([])}
        onChange={(event) => {
          const next = event.currentTarget.value.replaceAll('\n', ' ');
          onChange(next);
          look(next, event.currentTarget.selectionStart);
        }}
      />
      <ul id={list} role="listbox" aria-label={t('edit.variables')} hidden={offers.length === 0}>
        {offers.map((offer, index) => (
          // The pointer must not take the focus from the field before the choice is made.
          <li key={offer.name} id={`${list}-${index}`} role="option" aria-selected={index === at} onMouseDown={(event) => event.preventDefault()} onClick={() => take(offer)}>
            <code>{offer.name}</code> <span className="small quiet">{offer.type}</span>
          </li>
        ))}
      </ul>
    </div>
  );
}
