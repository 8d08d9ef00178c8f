// Voices given to others for a time, and where mail reaches me.
import { TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { post, putJson, remove } from '@/api/client';
import { reads } from '@/api/queries';
import type { Delegation } from '@/api/types';
import { useMay } from '@/app/session';
import { useAct } from '@/parts/act';
import { Button } from '@/parts/button';
import { Check } from '@/parts/check';
import { Failed, Panel } from '@/parts/page';
import { Sure } from '@/parts/sure';
import { useNow, Wall } from '@/parts/time';
import { t } from '@/strings/pages';

const ROOTS = ['delegations', 'notices', 'ledger'];
const MAX_TEXT_CHARS = 300;

/** Those that hold, or will. */
export const standing = (list: Delegation[], now: number): Delegation[] => list.filter((one) => one.revoked_at === null && Date.parse(one.until) > now);

export function Delegations() {
  const may = useMay('playbooks.run');
  const list = useQuery({ ...reads.delegations(), enabled: may });
  const me = useQuery(reads.me());
  const manage = useMay('playbooks.write');
  const now = useNow();
  const end = useAct((id: string) => remove(`/delegations/${encodeURIComponent(id)}`), ROOTS);
  if (!may) return null;
  const name = me.data?.name;
  return (
    <Panel title={t('voice.title')}>
      <div className="stack">
        <p className="small quiet">{t('voice.why')}</p>
        {list.isError && <Failed error={list.error} retry={list.refetch} />}
        <ul className="stack tight">
          {standing(list.data?.items ?? [], now).map((one) => (
            <li key={one.id} className="row">
              <span>{t('voice.line', { taker: one.taker, giver: one.giver, kinds: one.kinds.map((kind) => t(`voice.${kind}`)).join(', ') })} <Wall at={one.from} /> – <Wall at={one.until} />{one.comment && <span className="soft">: {one.comment}</span>}</span>
              {(manage || one.giver === name || one.taker === name) && <Sure small text={t('voice.end')} sure={t('voice.end_sure')} of={one.taker} busy={end.isPending} onSure={() => end.mutate(one.id)} />}
            </li>
          ))}
        </ul>
        {end.isError && <Failed error={end.error} />}
        <Give />
        <Mail mail={me.data?.mail ?? ''} />
      </div>
    </Panel>
  );
}

function Give() {
  const [taker, setTaker] = useState('');
  const [until, setUntil] = useState('');
  const [comment, setComment] = useState('');
  const [kinds, setKinds] = useState({ proposals: true, steps: true });
  const give = useAct(
    () => post<Delegation>('/delegations', { taker: taker.trim(), until: new Date(until).toISOString(), comment: comment.trim(), kinds: (['proposals', 'steps'] as const).filter((kind) => kinds[kind]) }),
    ROOTS,
    () => {
      setTaker('');
      setUntil('');
      setComment('');
    },
  );
  return (
    <form
      className="stack tight"
      onSubmit={(event) => {
        event.preventDefault();
        give.mutate();
      }}
    >
      <div className="voice-fields">
        <TextInput label={t('voice.taker')} required maxLength={100} value={taker} onChange={(event) => setTaker(event.currentTarget.value)} />
        <TextInput type="datetime-local" label={t('voice.until')} required value={until} onChange={(event) => setUntil(event.currentTarget.value)} />
        <TextInput label={t('voice.comment')} maxLength={MAX_TEXT_CHARS} value={comment} onChange={(event) => setComment(event.currentTarget.value)} />
      </div>
      <div className="row">
        {(['proposals', 'steps'] as const).map((kind) => <Check key={kind} checked={kinds[kind]} onChange={(on) => setKinds({ ...kinds, [kind]: on })}>{t(`voice.${kind}`)}</Check>)}
        <Button small type="submit" busy={give.isPending} disabled={taker.trim() === '' || until === '' || !(kinds.proposals || kinds.steps)}>{t('voice.give')}</Button>
        {give.isSuccess && <span role="status" className="small">{t('voice.given', { taker: give.data.taker })}</span>}
      </div>
      {give.isError && <Failed error={give.error} />}
    </form>
  );
}

function Mail({ mail }: { mail: string }) {
  const [draft, setDraft] = useState<string | null>(null);
  const save = useAct((text: string) => putJson('/me/mail', { mail: text }), ['me', 'ledger'], () => setDraft(null));
  const shown = draft ?? mail;
  return (
    <form
      className="stack tight"
      onSubmit={(event) => {
        event.preventDefault();
        save.mutate(shown.trim());
      }}
    >
      <TextInput type="email" label={t('voice.mail')} description={t('voice.mail_why')} maxLength={254} value={shown} onChange={(event) => setDraft(event.currentTarget.value)} />
      <div className="row">
        <Button small plain type="submit" busy={save.isPending} disabled={shown === mail}>{t('voice.mail_save')}</Button>
        {save.isSuccess && draft === null && <span role="status" className="small">{t('voice.mail_saved')}</span>}
      </div>
      {save.isError && <Failed error={save.error} />}
    </form>
  );
}
