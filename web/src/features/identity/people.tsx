import { NativeSelect, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { patch, post, remove } from '@/api/client';
import type { Person } from '@/api/people-types';
import { reads } from '@/api/queries';
import { useAct } from '@/parts/act';
import { Button } from '@/parts/button';
import { ActForm } from '@/parts/form';
import { Banner, Failed, Loaded, PageView, Panel } from '@/parts/page';
import { Sure } from '@/parts/sure';
import { DataTable, type Column } from '@/parts/table';
import { Wall } from '@/parts/time';
import { copy } from '@/parts/value';
import { t, tn, word } from '@/strings/pages';

const ROLES = ['analyst', 'operator', 'assessor', 'read-only', 'administrator'];
type Made = { name: string; password: string };
const of = (name: string) => `/users/${encodeURIComponent(name)}`;

/** Who has an account: what they may do, when they were here last, and what an administrator does for them. */
export function PeoplePage() {
  const people = useQuery(reads.people());
  const inUse = (people.data ?? []).filter((one) => !one.disabled_at).length;
  return (
    <PageView title={people.data ? tn('people.title', inUse) : t('nav.people')} lead={t('people.lead')}>
      <div className="stack wide">
        <Panel title={t('people.accounts')} flush>
          <Loaded query={people}>{(list) => <List list={list} />}</Loaded>
        </Panel>
        <NewPerson />
      </div>
    </PageView>
  );
}

function List({ list }: { list: Person[] }) {
  const own = useQuery(reads.ownAccount()).data?.name;
  const change = useAct(({ name, body }: { name: string; body: object }) => patch(of(name), body), ['people']);
  const away = useAct((name: string) => remove(of(name)), ['people']);
  const reset = useAct((name: string) => post<Made>(`${of(name)}/password`, {}), ['people']);
  const { mutate: changed, isPending: changing } = change;
  const { mutate: removed, isPending: removing } = away;
  const { mutate: renewed, isPending: renewing } = reset;
  const columns = useMemo<Column<Person>[]>(
    () => [
      { id: 'name', head: t('people.col.name'), cell: (row) => <><b>{row.shown ?? row.name}</b>{row.shown && <span className="soft"> {row.name}</span>}</>, sort: (row) => row.shown ?? row.name },
      {
        id: 'role',
        head: t('access.col.role'),
        cell: (row) => {
          const role = row.roles[0] ?? '';
          if (row.name === own || row.grants.length > 0 || !ROLES.includes(role)) return word('role', role);
          return <NativeSelect size="xs" aria-label={t('people.role_of', { name: row.name })} data={ROLES} value={role} disabled={changing} onChange={(event) => changed({ name: row.name, body: { role: event.currentTarget.value } })} />;
        },
        sort: (row) => row.roles.join(', '),
      },
      { id: 'state', head: t('access.col.state'), cell: (row) => t(row.disabled_at ? 'people.off' : 'people.on'), sort: (row) => row.disabled_at ?? '' },
      { id: 'last', head: t('people.col.last'), cell: (row) => (row.signed_in_at ? <Wall at={row.signed_in_at} relative /> : t('access.never')), sort: (row) => row.signed_in_at ?? '' },
      { id: 'mail', head: t('people.col.mail'), cell: (row) => row.mail ?? '–', sort: (row) => row.mail ?? '' },
      {
        id: 'acts',
        head: '',
        cell: (row) =>
          row.name === own ? (
            <span className="soft">{t('people.you')}</span>
          ) : (
            <span className="inline">
              <Sure small text={t('people.reset')} sure={t('people.reset_sure')} of={row.name} busy={renewing} onSure={() => renewed(row.name)} />{' '}
              <Button small plain disabled={changing} onClick={() => changed({ name: row.name, body: { disabled: !row.disabled_at } })} aria-label={t(row.disabled_at ? 'people.enable_which' : 'people.disable_which', { name: row.name })}>
                {t(row.disabled_at ? 'people.enable' : 'people.disable')}
              </Button>{' '}
              <Sure small text={t('people.remove')} sure={t('people.remove_sure')} of={row.name} busy={removing} onSure={() => removed(row.name)} />
            </span>
          ),
        right: true,
      },
    ],
    [own, changed, changing, removed, removing, renewed, renewing],
  );
  return (
    <>
      <DataTable rows={list} columns={columns} caption={t('people.accounts')} rowKey={(row) => row.name} />
      {[change, away, reset].map((act, index) => act.isError && <Failed key={index} error={act.error} />)}
      {reset.data && <div style={{ padding: 12 }}><Once made={reset.data} /></div>}
    </>
  );
}

function Once({ made }: { made: Made }) {
  return (
    <Banner tone="good" icon="key">
      <p>{t('people.once', { name: made.name })}</p>
      <p className="row"><code className="wrap">{made.password}</code><Button small plain onClick={() => void copy(made.password)}>{t('value.copy')}</Button></p>
    </Banner>
  );
}

function NewPerson() {
  const [name, setName] = useState('');
  const [role, setRole] = useState('analyst');
  const act = useAct(() => post<Made>('/users', { name: name.trim(), role }), ['people'], () => setName(''));
  return (
    <Panel title={t('people.new')}>
      <ActForm act={act} done={(made) => <Once made={made} />}>
        <TextInput label={t('people.col.name')} required maxLength={100} w={260} value={name} onChange={(event) => setName(event.currentTarget.value)} />
        <NativeSelect label={t('access.col.role')} data={ROLES} value={role} onChange={(event) => setRole(event.currentTarget.value)} />
        <Button type="submit" plain busy={act.isPending}>{t('people.make')}</Button>
      </ActForm>
    </Panel>
  );
}
