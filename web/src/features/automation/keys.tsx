import { Textarea, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { post, remove } from '@/api/client';
import { reads } from '@/api/queries';
import type { PlaybookKey } from '@/api/types';
import { useMay } from '@/app/session';
import { useAct } from '@/parts/act';
import { Button } from '@/parts/button';
import { Empty, Failed, Loaded, PageView, Panel } from '@/parts/page';
import { Sure } from '@/parts/sure';
import { DataTable, type Column } from '@/parts/table';
import { PlainTag } from '@/parts/tags';
import { Wall } from '@/parts/time';
import { t, tn, word } from '@/strings/pages';
import './automation.css';

const ROOTS = ['playbook-keys', 'playbooks', 'ledger'];
const MAX_NAME_CHARS = 200;

/** Who may sign playbooks, and what becomes of a playbook that nobody of them signed. */
export function PlaybookKeysPage() {
  const keys = useQuery(reads.playbookKeys());
  const may = useMay('playbooks.write');
  const trusted = keys.data ? keys.data.configured.length + keys.data.items.filter((one) => one.revoked_at === null).length : 0;
  return (
    <PageView title={keys.data ? tn('signer.title', trusted) : t('nav.playbook_keys')} crumb={{ to: '/playbooks', text: t('nav.playbooks') }} lead={keys.data && word('signer.asked', keys.data.signatures)}>
      <div className="stack wide">
        <Loaded query={keys}>
          {(read) => (
            <>
              <Panel title={t('signer.kept')} flush>
                {read.items.length === 0 ? <Empty title={t('signer.empty')}>{t('signer.empty_why')}</Empty> : <Keys list={read.items} may={may} />}
              </Panel>
              {read.configured.length > 0 && (
                <Panel title={t('signer.configured')}>
                  <ul className="stack tight">{read.configured.map((one) => <li key={one}><code className="wrap">{one}</code></li>)}</ul>
                </Panel>
              )}
            </>
          )}
        </Loaded>
        {may && <Add />}
      </div>
    </PageView>
  );
}

function Keys({ list, may }: { list: PlaybookKey[]; may: boolean }) {
  const revoke = useAct((fingerprint: string) => post(`/playbook-keys/${encodeURIComponent(fingerprint)}/revoke`), ROOTS);
  const away = useAct((fingerprint: string) => remove(`/playbook-keys/${encodeURIComponent(fingerprint)}`), ROOTS);
  const failed = [revoke, away].find((act) => act.isError);
  const columns: Column<PlaybookKey>[] = [
    { id: 'name', head: t('signer.col.name'), cell: (row) => <>{row.name}<span className="small quiet wrap" style={{ display: 'block' }}><code>{row.fingerprint}</code></span></>, sort: (row) => row.name },
    { id: 'state', head: t('signer.col.state'), cell: (row) => (row.revoked_at === null ? <PlainTag tone="good" shape="check">{t('signer.trusted')}</PlainTag> : <><PlainTag tone="critical" shape="cross">{t('signer.revoked')}</PlainTag> <span className="small soft"><Wall at={row.revoked_at} /></span></>), sort: (row) => row.revoked_at ?? '' },
    { id: 'added', head: t('signer.col.added'), cell: (row) => <Wall at={row.added_at} relative />, sort: (row) => row.added_at },
  ];
  if (may) {
    columns.push({
      id: 'acts',
      head: '',
      cell: (row) => (
        <span className="inline-acts">
          {row.revoked_at === null && <Sure small text={t('signer.revoke')} sure={t('signer.revoke_sure')} of={row.name} busy={revoke.isPending} onSure={() => revoke.mutate(row.fingerprint)} />}
          <Sure small text={t('signer.remove')} sure={t('signer.remove_sure')} of={row.name} busy={away.isPending} onSure={() => away.mutate(row.fingerprint)} />
        </span>
      ),
    });
  }
  return (
    <>
      {failed && <div style={{ padding: 12 }}><Failed error={failed.error} /></div>}
      <DataTable rows={list} columns={columns} caption={t('signer.kept')} rowKey={(row) => row.fingerprint} />
    </>
  );
}

function Add() {
  const [name, setName] = useState('');
  const [pem, setPem] = useState('');
  const add = useAct(() => post<PlaybookKey>('/playbook-keys', { name: name.trim(), pem }), ROOTS, () => {
    setName('');
    setPem('');
  });
  return (
    <Panel title={t('signer.add_title')}>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          add.mutate();
        }}
      >
        <TextInput label={t('signer.name')} required maxLength={MAX_NAME_CHARS} maw={420} value={name} onChange={(event) => setName(event.currentTarget.value)} />
        <Textarea label={t('signer.pem')} required autosize minRows={3} maxRows={12} spellCheck={false} classNames={{ input: 'mono' }} placeholder="-----BEGIN PUBLIC KEY-----" value={pem} onChange={(event) => setPem(event.currentTarget.value)} />
        <div><Button type="submit" plain busy={add.isPending} disabled={name.trim() === '' || pem.trim() === ''}>{t('signer.add')}</Button></div>
        {add.isError && <Failed error={add.error} />}
        {add.data && <p role="status">{t('signer.added', { name: add.data.name })} <code className="wrap">{add.data.fingerprint}</code></p>}
      </form>
    </Panel>
  );
}
