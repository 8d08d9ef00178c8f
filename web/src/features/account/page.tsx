import { PasswordInput, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { put, remove } from '@/api/client';
import type { OpenSession, OwnAccount } from '@/api/people-types';
import { reads } from '@/api/queries';
import { useAct } from '@/parts/act';
import { Button } from '@/parts/button';
import { Banner, Empty, Failed, Loaded, PageView, Panel } from '@/parts/page';
import { DataTable, type Column } from '@/parts/table';
import { Wall } from '@/parts/time';
import { t, tn } from '@/strings/pages';

const MIN_PASSWORD = 10;

/** What people change of their own account, and where they are signed in. */
export function AccountPage() {
  const me = useQuery(reads.ownAccount());
  const own = me.data?.account === true;
  const sessions = useQuery({ ...reads.ownSessions(), enabled: own });
  const open = sessions.data?.length;
  const title = open === undefined ? t('nav.account') : tn('own.title', open);
  return (
    <PageView title={title} lead={me.data && t('own.lead', { name: me.data.name, roles: me.data.roles.join(', ') })}>
      <Loaded query={me}>
        {(account) =>
          account.account ? (
            <div className="stack wide">
              <Panel title={t('own.sessions')} flush>
                <Loaded query={sessions}>{(list) => <Sessions list={list} />}</Loaded>
              </Panel>
              <Password name={account.name} />
              <Reach account={account} />
            </div>
          ) : (
            <Empty title={t('own.none')}>{t('own.none_why')}</Empty>
          )
        }
      </Loaded>
    </PageView>
  );
}

function Sessions({ list }: { list: OpenSession[] }) {
  const end = useAct((id: string) => remove(`/me/sessions/${encodeURIComponent(id)}`), ['own-sessions']);
  const others = useAct(() => remove('/me/sessions'), ['own-sessions']);
  const { mutate } = end;
  const columns = useMemo<Column<OpenSession>[]>(
    () => [
      { id: 'browser', head: t('own.col.browser'), cell: (row) => <>{row.browser}{row.this && <> · <b>{t('own.this')}</b></>}</>, sort: (row) => row.browser },
      { id: 'source', head: t('own.col.source'), cell: (row) => <code>{row.source}</code>, sort: (row) => row.source },
      { id: 'seen', head: t('own.col.seen'), cell: (row) => <Wall at={row.seen_at} relative />, sort: (row) => row.seen_at },
      { id: 'opened', head: t('own.col.opened'), cell: (row) => <Wall at={row.opened_at} relative />, sort: (row) => row.opened_at },
      { id: 'expires', head: t('own.col.expires'), cell: (row) => <Wall at={row.expires_at} relative />, sort: (row) => row.expires_at },
      { id: 'end', head: '', cell: (row) => (row.this ? null : <Button small plain onClick={() => mutate(row.id)} aria-label={t('own.end_which', { browser: row.browser, source: row.source })}>{t('own.end')}</Button>), right: true },
    ],
    [mutate],
  );
  return (
    <>
      <DataTable rows={list} columns={columns} caption={t('own.sessions')} rowKey={(row) => row.id} />
      {end.isError && <Failed error={end.error} />}
      {others.isError && <Failed error={others.error} />}
      {list.length > 1 && (
        <div style={{ padding: 12 }}>
          <Button plain busy={others.isPending} onClick={() => others.mutate()}>{t('own.end_others')}</Button>
        </div>
      )}
    </>
  );
}

function Password({ name }: { name: string }) {
  const [form, setForm] = useState({ old: '', new: '', again: '' });
  const act = useAct(() => put('/me/password', { old: form.old, new: form.new }), ['own-sessions'], () => setForm({ old: '', new: '', again: '' }));
  const set = (field: keyof typeof form) => (event: React.ChangeEvent<HTMLInputElement>) => {
    const { value } = event.currentTarget;
    setForm((old) => ({ ...old, [field]: value }));
  };
  const short = form.new !== '' && [...form.new].length < MIN_PASSWORD;
  const different = form.again !== '' && form.again !== form.new;
  return (
    <Panel title={t('own.password')}>
      <form
        className="stack"
        style={{ maxWidth: 420 }}
        onSubmit={(event) => {
          event.preventDefault();
          act.mutate();
        }}
      >
        <input hidden readOnly autoComplete="username" value={name} />
        <PasswordInput label={t('own.password_old')} autoComplete="current-password" required value={form.old} onChange={set('old')} />
        <PasswordInput label={t('own.password_new')} description={t('first_run.password_why', { n: MIN_PASSWORD })} autoComplete="new-password" required value={form.new} onChange={set('new')} error={short ? t('first_run.too_short', { n: MIN_PASSWORD }) : null} />
        <PasswordInput label={t('first_run.again')} autoComplete="new-password" required value={form.again} onChange={set('again')} error={different ? t('first_run.different') : null} />
        {act.isError && <Failed error={act.error} />}
        {act.isSuccess && <Banner tone="good" icon="check">{t('own.password_done')}</Banner>}
        <div><Button type="submit" busy={act.isPending} disabled={form.old === '' || short || form.new === '' || form.again !== form.new}>{t('own.password_do')}</Button></div>
      </form>
    </Panel>
  );
}

function Reach({ account }: { account: OwnAccount }) {
  const [shown, setShown] = useState(account.shown ?? '');
  const [mail, setMail] = useState(account.mail ?? '');
  const act = useAct(
    async () => {
      if (shown.trim() !== (account.shown ?? '')) await put('/me/shown', { shown: shown.trim() });
      if (mail.trim() !== (account.mail ?? '')) await put('/me/mail', { mail: mail.trim() });
    },
    ['own-account', 'me'],
  );
  return (
    <Panel title={t('own.reach')}>
      <form
        className="stack"
        style={{ maxWidth: 420 }}
        onSubmit={(event) => {
          event.preventDefault();
          act.mutate();
        }}
      >
        <TextInput label={t('own.shown')} description={t('own.shown_why', { name: account.name })} maxLength={100} autoComplete="name" value={shown} onChange={(event) => setShown(event.currentTarget.value)} />
        <TextInput label={t('own.mail')} description={t('own.mail_why')} type="email" maxLength={254} autoComplete="email" value={mail} onChange={(event) => setMail(event.currentTarget.value)} />
        {act.isError && <Failed error={act.error} />}
        {act.isSuccess && <Banner tone="good" icon="check">{t('own.kept')}</Banner>}
        <div><Button type="submit" busy={act.isPending}>{t('own.keep')}</Button></div>
      </form>
    </Panel>
  );
}
