import { NativeSelect, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { patch, post, remove } from '@/api/client';
import { reads } from '@/api/queries';
import type { Redaction } from '@/api/types';
import { useMay } from '@/app/session';
import { useAct } from '@/parts/act';
import { Button } from '@/parts/button';
import { Empty, Failed, Loaded, Panel } from '@/parts/page';
import { Sure } from '@/parts/sure';
import { DataTable, type Column } from '@/parts/table';
import { PlainTag } from '@/parts/tags';
import { t, word } from '@/strings/pages';

const ROOTS = ['sharing'];
const ACTIONS = ['pseudonymise', 'remove', 'replace', 'drop'] as const;
type Kind = (typeof ACTIONS)[number];

const list = (text: string) => text.split(/[\s,]+/).filter(Boolean);

function what(action: Redaction['action']): string {
  if (action.do === 'remove') return t('redact.remove', { properties: action.properties.join(', ') });
  if (action.do === 'replace') return t('redact.replace', { pattern: action.pattern, text: action.with });
  return word('redact.do', action.do);
}

/** What is changed on the way out, in the order in which it is done. */
export function Redactions() {
  const rules = useQuery(reads.redactions());
  const may = useMay('sharing.write');
  const pause = useAct((row: Redaction) => patch(`/sharing/redactions/${row.id}`, { paused: !row.paused }), ROOTS);
  const gone = useAct((row: Redaction) => remove(`/sharing/redactions/${row.id}`), ROOTS);
  const columns: Column<Redaction>[] = [
    { id: 'name', head: t('redact.col.name'), cell: (row) => <>{row.name} {row.paused && <PlainTag>{t('redact.paused')}</PlainTag>}<span className="small quiet" style={{ display: 'block' }}><code>{row.id}</code></span></> },
    { id: 'what', head: t('redact.col.what'), cell: (row) => what(row.action) },
    { id: 'types', head: t('redact.col.types'), cell: (row) => row.types.join(', ') || t('redact.all_types') },
    { id: 'to', head: t('redact.col.to'), cell: (row) => [...row.to.kinds.map((kind) => word('circle.kind', kind)), ...row.to.organisations, ...row.to.communities].join(', ') || t('redact.everybody') },
    {
      id: 'acts',
      head: '',
      cell: (row) => may && (
        <span className="inline">
          <Button small plain disabled={pause.isPending} onClick={() => pause.mutate(row)} aria-label={`${t(row.paused ? 'redact.resume' : 'redact.pause')}: ${row.name}`}>{t(row.paused ? 'redact.resume' : 'redact.pause')}</Button>{' '}
          <Sure small text={t('policy.remove')} of={row.name} sure={t('policy.remove_sure')} busy={gone.isPending} onSure={() => gone.mutate(row)} />
        </span>
      ),
      right: true,
    },
  ];
  return (
    <Panel title={t('redact.head')} flush>
      <Loaded query={rules}>
        {(all) => (all.length === 0 ? <Empty title={t('redact.none')}>{t('redact.none_why')}</Empty> : <DataTable rows={all} columns={columns} caption={t('redact.head')} rowKey={(row) => row.id} />)}
      </Loaded>
      {pause.isError && <Failed error={pause.error} />}
      {gone.isError && <Failed error={gone.error} />}
      {may && <div style={{ padding: 16 }}><NewRule /></div>}
    </Panel>
  );
}

function NewRule() {
  const [name, setName] = useState('');
  const [kind, setKind] = useState<Kind>('pseudonymise');
  const [types, setTypes] = useState('');
  const [first, setFirst] = useState('');
  const [second, setSecond] = useState('');
  const action = () => {
    if (kind === 'remove') return { do: kind, properties: list(first) };
    if (kind === 'replace') return { do: kind, pattern: first, with: second };
    return { do: kind };
  };
  const act = useAct(() => post('/sharing/redactions', { name: name.trim(), types: list(types), action: action() }), ROOTS, () => {
    setName('');
    setFirst('');
    setSecond('');
  });
  return (
    <form
      className="stack tight"
      onSubmit={(event) => {
        event.preventDefault();
        act.mutate();
      }}
    >
      <h3>{t('redact.new')}</h3>
      <div className="row" style={{ alignItems: 'flex-end' }}>
        <TextInput label={t('redact.col.name')} required maxLength={120} w={200} value={name} onChange={(event) => setName(event.currentTarget.value)} />
        <NativeSelect label={t('redact.col.what')} data={ACTIONS.map((value) => ({ value, label: word('redact.do', value) }))} value={kind} onChange={(event) => setKind(event.currentTarget.value as Kind)} />
        {kind === 'remove' && <TextInput label={t('redact.properties')} required w={220} placeholder="x_internal_*" value={first} onChange={(event) => setFirst(event.currentTarget.value)} />}
        {kind === 'replace' && <TextInput label={t('redact.pattern')} required w={180} value={first} onChange={(event) => setFirst(event.currentTarget.value)} />}
        {kind === 'replace' && <TextInput label={t('redact.with')} w={140} value={second} onChange={(event) => setSecond(event.currentTarget.value)} />}
        <TextInput label={t('redact.col.types')} w={180} placeholder={t('redact.all_types')} value={types} onChange={(event) => setTypes(event.currentTarget.value)} />
        <Button type="submit" plain busy={act.isPending}>{t('redact.add')}</Button>
      </div>
      {act.isError && <Failed error={act.error} />}
    </form>
  );
}
