// Who else is asked: mails that went out about a question, and putting it to somebody else.
import { TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { post } from '@/api/client';
import { reads } from '@/api/queries';
import type { AnswerMail, AskedView } from '@/api/types';
import { useMay } from '@/app/session';
import { useAct } from '@/parts/act';
import { Button } from '@/parts/button';
import { Failed } from '@/parts/page';
import { Wall } from '@/parts/time';
import { t, word } from '@/strings/pages';

const MAX_NAME_CHARS = 100;

/** "Ana" or "Ben, in place of Ana" */
export const whom = (one: Pick<AnswerMail, 'person' | 'for'>): string => (one.for === null ? one.person : t('asked.for', { person: one.person, giver: one.for }));

export function Asked({ about, path }: { about: string; path: string }) {
  const may = useMay('playbooks.run');
  if (!may) return null;
  return (
    <details className="asked">
      <summary className="small">{t('asked.title')}</summary>
      <div className="stack tight">
        <Mails about={about} />
        <AskOther path={path} />
      </div>
    </details>
  );
}

function Mails({ about }: { about: string }) {
  const mails = useQuery(reads.answerMails(about));
  const list = mails.data?.items ?? [];
  if (mails.isError) return <Failed error={mails.error} retry={mails.refetch} />;
  if (list.length === 0) return mails.isPending ? null : <p className="small quiet">{t('asked.no_mail')}</p>;
  return (
    <ul className="stack tight small">
      {list.map((one) => (
        <li key={one.id}>
          {whom(one)} · {word('asked.state', one.state)} <Wall at={one.sent_at ?? one.recorded_at} relative />
          {one.reason && <span className="soft wrap">: {one.reason}</span>}
        </li>
      ))}
    </ul>
  );
}

function AskOther({ path }: { path: string }) {
  const [person, setPerson] = useState('');
  const ask = useAct((name: string) => post<AskedView>(path, { person: name }), ['answer-mails', 'notices', 'ledger'], () => setPerson(''));
  return (
    <form
      className="stack tight"
      onSubmit={(event) => {
        event.preventDefault();
        ask.mutate(person.trim());
      }}
    >
      <TextInput label={t('asked.person')} description={t('asked.person_why')} required maxLength={MAX_NAME_CHARS} value={person} onChange={(event) => setPerson(event.currentTarget.value)} />
      <div className="row">
        <Button small plain type="submit" busy={ask.isPending} disabled={person.trim() === ''}>{t('asked.ask')}</Button>
        {ask.isSuccess && <span role="status" className="small">{t(ask.data.mailed ? 'asked.done_mail' : 'asked.done', { person: ask.data.person })}</span>}
      </div>
      {ask.isError && <Failed error={ask.error} />}
    </form>
  );
}
