// Who is asked by mail, with a link that answers.
import { TextInput } from '@mantine/core';
import { useState } from 'react';
import { Check } from '@/parts/check';
import { t } from '@/strings/pages';
import { namesOf, type Rules } from './policy';

const LISTS = ['roles', 'persons', 'then_roles', 'then_persons'] as const;

export function MailFields({ links, set }: { links: Rules['mail_links']; set: (links: Rules['mail_links']) => void }) {
  return (
    <div className="stack tight">
      <Check checked={links.on} onChange={(on) => set({ ...links, on })}>{t('auto.mail_on')}</Check>
      <div className="auto-fields">
        {LISTS.map((list) => <Names key={list} label={t(`auto.mail_${list}`)} names={links[list]} onChange={(names) => set({ ...links, [list]: names })} />)}
      </div>
    </div>
  );
}

/** Names with commas between; what is typed stays as typed until the field is left. */
function Names({ label, names, onChange }: { label: string; names: string[]; onChange: (names: string[]) => void }) {
  const [typed, setTyped] = useState<string | null>(null);
  return (
    <TextInput
      label={label}
      value={typed ?? names.join(', ')}
      onChange={(event) => {
        setTyped(event.currentTarget.value);
        onChange(namesOf(event.currentTarget.value));
      }}
      onBlur={() => setTyped(null)}
    />
  );
}
