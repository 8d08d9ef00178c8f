import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { remove } from '@/api/client';
import { reads } from '@/api/queries';
import type { ClientCertificate } from '@/api/types';
import { useAct } from '@/parts/act';
import { Button } from '@/parts/button';
import { Empty, Failed, Loaded, Panel } from '@/parts/page';
import { DataTable, type Column } from '@/parts/table';
import { Wall } from '@/parts/time';
import { t, word } from '@/strings/pages';

/** Client certificates of programs: whose they are, how long they last, and their end. They are made from the command line,
 * where their keys are. */
export function Certificates() {
  const certificates = useQuery(reads.certificates());
  return (
    <Panel title={t('access.certificates')} flush>
      <Loaded query={certificates}>{(list) => <List list={list} />}</Loaded>
    </Panel>
  );
}

function List({ list }: { list: ClientCertificate[] }) {
  const revoke = useAct((id: string) => remove(`/certificates/${id}`), ['certificates']);
  const { mutate } = revoke;
  const columns = useMemo<Column<ClientCertificate>[]>(
    () => [
      { id: 'label', head: t('access.col.label'), cell: (row) => <b title={row.fingerprint}>{row.label}</b>, sort: (row) => row.label },
      { id: 'role', head: t('access.col.role'), cell: (row) => (row.grants.length > 0 ? row.grants.join(', ') : row.roles.join(', ')), sort: (row) => row.roles.join(', ') },
      { id: 'state', head: t('access.col.state'), cell: (row) => word('certificate', row.state), sort: (row) => row.state },
      { id: 'expires', head: t('access.col.expires'), cell: (row) => <Wall at={row.expires_at} relative />, sort: (row) => row.expires_at },
      {
        id: 'revoke',
        head: '',
        cell: (row) => (row.state === 'in force' ? <Button small plain onClick={() => mutate(row.id)} aria-label={t('access.revoke_certificate', { label: row.label })}>{t('access.revoke')}</Button> : null),
        right: true,
      },
    ],
    [mutate],
  );
  if (list.length === 0) return <Empty title={t('access.no_certificates')}>{t('access.no_certificates_why')}</Empty>;
  return (
    <>
      <DataTable rows={list} columns={columns} caption={t('access.certificates')} rowKey={(row) => row.id} />
      {revoke.isError && <Failed error={revoke.error} />}
    </>
  );
}
