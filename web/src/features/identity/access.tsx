import { NativeSelect, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { post, remove } from '@/api/client';
import { reads } from '@/api/queries';
import type { AccessRoute, ApiToken } from '@/api/types';
import { useMay } from '@/app/session';
import { useAct } from '@/parts/act';
import { Mark } from '@/parts/icon';
import { Banner, Empty, Failed, Loaded, PageView, Panel } from '@/parts/page';
import { DataTable, type Column } from '@/parts/table';
import { Wall } from '@/parts/time';
import { copy } from '@/parts/value';
import { t, tn, word } from '@/strings/pages';
import { Button } from '@/parts/button';
import { Certificates } from './certificates';

const ROLES = ['analyst', 'operator', 'assessor', 'read-only', 'administrator', 'peer', 'edge'];

export function AccessPage() {
  const me = useQuery(reads.me());
  const tokens = useQuery(reads.tokens());
  const matrix = useQuery(reads.accessMatrix());
  const standing = useMemo(() => (tokens.data ?? []).filter((token) => !token.revoked_at), [tokens.data]);
  return (
    <PageView
      title={tokens.data ? (standing.length === 0 ? t('access.title_none') : tn('access.title', standing.length)) : t('nav.access')}
      lead={me.data ? t('access.lead', { name: me.data.name || me.data.user, roles: me.data.roles.join(', ') }) : null}
    >
      <div className="stack wide">
        <Panel title={t('access.tokens')} flush>
          <Loaded query={tokens}>{() => <Tokens list={standing} />}</Loaded>
        </Panel>
        <NewToken />
        <Certificates />
        <Panel title={t('access.matrix')} flush>
          <Loaded query={matrix}>{({ routes }) => <Matrix routes={routes} />}</Loaded>
        </Panel>
      </div>
    </PageView>
  );
}

function Tokens({ list }: { list: ApiToken[] }) {
  const revoke = useAct((id: string) => remove(`/tokens/${id}`), ['tokens']);
  const { mutate } = revoke;
  const columns = useMemo<Column<ApiToken>[]>(
    () => [
      { id: 'label', head: t('access.col.label'), cell: (row) => <b>{row.label}</b>, sort: (row) => row.label },
      { id: 'role', head: t('access.col.role'), cell: (row) => row.roles.join(', '), sort: (row) => row.roles.join(', ') },
      { id: 'created', head: t('access.col.created'), cell: (row) => (row.created_at ? <Wall at={row.created_at} relative /> : '–'), sort: (row) => row.created_at ?? '' },
      { id: 'expires', head: t('access.col.expires'), cell: (row) => (row.expires_at ? <Wall at={row.expires_at} relative /> : t('access.never')), sort: (row) => row.expires_at ?? '' },
      { id: 'revoke', head: '', cell: (row) => <Button small plain onClick={() => mutate(row.id)} aria-label={t('access.revoke_which', { label: row.label })}>{t('access.revoke')}</Button>, right: true },
    ],
    [mutate],
  );
  if (list.length === 0) return <Empty title={t('access.no_tokens')}>{t('access.no_tokens_why')}</Empty>;
  return (
    <>
      <DataTable rows={list} columns={columns} caption={t('access.tokens')} rowKey={(row) => row.id} />
      {revoke.isError && <Failed error={revoke.error} />}
    </>
  );
}

function NewToken() {
  const may = useMay('tokens.create');
  const [label, setLabel] = useState('');
  const [role, setRole] = useState('analyst');
  const act = useAct(() => post<{ id: string; token: string }>('/tokens', { role, label: label.trim() }), ['tokens'], () => setLabel(''));
  if (!may) return null;
  return (
    <Panel title={t('access.new')}>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          act.mutate();
        }}
      >
        <div className="row" style={{ alignItems: 'flex-end' }}>
          <TextInput label={t('access.col.label')} required maxLength={80} w={260} value={label} onChange={(event) => setLabel(event.currentTarget.value)} />
          <NativeSelect label={t('access.col.role')} data={ROLES} value={role} onChange={(event) => setRole(event.currentTarget.value)} />
          <Button type="submit" plain busy={act.isPending}>{t('access.make')}</Button>
        </div>
        {act.isError && <Failed error={act.error} />}
        {act.data && (
          <Banner tone="good" icon="key">
            <p>{t('access.once')}</p>
            <p className="row"><code className="wrap">{act.data.token}</code><Button small plain onClick={() => void copy(act.data.token)}>{t('value.copy')}</Button></p>
          </Banner>
        )}
      </form>
    </Panel>
  );
}

function Matrix({ routes }: { routes: AccessRoute[] }) {
  const roles = useMemo(() => [...new Set(routes.flatMap((route) => route.roles))].sort(), [routes]);
  return (
    <div className="scroll" style={{ maxHeight: 560, overflowY: 'auto' }} tabIndex={0} role="region" aria-label={t('access.matrix')}>
      <table className="data">
        <caption className="hidden-text">{t('access.matrix')}</caption>
        <thead>
          <tr>
            <th scope="col">{t('access.col.route')}</th>
            <th scope="col">{t('access.col.permission')}</th>
            {roles.map((role) => <th key={role} scope="col">{word('role', role)}</th>)}
          </tr>
        </thead>
        <tbody>
          {routes.map((route) => (
            <tr key={`${route.method}${route.path}`}>
              <td className="mono">{route.method} {route.path}</td>
              <td className="mono">{route.permission === 'public' ? t('access.public') : route.permission}</td>
              {roles.map((role) => {
                const yes = route.roles.includes(role);
                return <td key={role} style={{ color: yes ? 'var(--good)' : 'var(--text-3)' }}><Mark shape={yes ? 'check' : 'bar'} /><span className="hidden-text">{t(yes ? 'words.yes' : 'words.no')}</span></td>;
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
