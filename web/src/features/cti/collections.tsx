import { NativeSelect, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { post, remove } from '@/api/client';
import { reads } from '@/api/queries';
import type { Collection, TaxiiRoot } from '@/api/types';
import { useMay } from '@/app/session';
import { useAct } from '@/parts/act';
import { Button } from '@/parts/button';
import { count } from '@/parts/format';
import { ActForm } from '@/parts/form';
import { Guide } from '@/parts/empty';
import { Banner, Failed, Loaded, PageView, Panel } from '@/parts/page';
import { Sure } from '@/parts/sure';
import { DataTable, type Column } from '@/parts/table';
import { copy } from '@/parts/value';
import { t, tn, word } from '@/strings/pages';

/** What the TAXII server offers, to whom, and how one more is made. */
export function CollectionsPage() {
  const collections = useQuery(reads.collections());
  const roots = useQuery(reads.taxiiRoots());
  const may = useMay('exchange.manage');
  const list = collections.data;
  return (
    <PageView title={list ? tn('taxii.title', list.length, { roots: tn('taxii.roots', roots.data?.length ?? 0) }) : t('nav.collections')} lead={t('taxii.lead')}>
      <div className="stack wide">
        <Panel title={t('nav.collections')} flush>
          <Loaded query={collections}>{(all) => (all.length === 0 ? <Guide name="collections" title={t('taxii.empty')} why={t('taxii.empty_why')} /> : <Collections list={all} may={may} />)}</Loaded>
        </Panel>
        {may && roots.data && <NewCollection roots={roots.data} />}
        <Panel title={t('taxii.roots_head')} flush>
          <Loaded query={roots}>{(all) => <Roots list={all} may={may} />}</Loaded>
        </Panel>
        {may && <NewRoot />}
      </div>
    </PageView>
  );
}

/** Who reads a collection that a person makes. */
const KINDS = ['closed', 'open'];

const place = (row: Collection) => `/taxii2/${row.root}/collections/${row.alias}/`;

function Collections({ list, may }: { list: Collection[]; may: boolean }) {
  const mayTokens = useMay('tokens.read');
  const tokens = useQuery({ ...reads.tokens(), enabled: mayTokens });
  const gone = useAct((row: Collection) => remove(`/taxii/collections/${row.id}`), ['collections']);
  const holders = useMemo(() => {
    const by = new Map<string, string[]>();
    for (const token of tokens.data ?? []) {
      if (token.revoked_at) continue;
      for (const grant of token.grants) {
        const [id = '', right = ''] = grant.split(':');
        by.set(id, [...(by.get(id) ?? []), `${token.label} (${word('taxii.right', right)})`]);
      }
    }
    return by;
  }, [tokens.data]);
  const columns: Column<Collection>[] = [
    { id: 'title', head: t('taxii.col.title'), cell: (row) => <><b>{row.title}</b>{row.description && <span className="small quiet" style={{ display: 'block' }}>{row.description}</span>}</>, sort: (row) => row.title },
    {
      id: 'place',
      head: t('taxii.col.place'),
      cell: (row) => <span className="inline"><code className="wrap">{place(row)}</code>{' '}<Button small plain onClick={() => void copy(window.location.origin + place(row))} aria-label={t('taxii.copy', { title: row.title })}>{t('value.copy')}</Button></span>,
      sort: place,
    },
    { id: 'who', head: t('taxii.col.who'), cell: (row) => <>{word('taxii.kind', row.kind)}{holders.has(row.id) && <span className="small soft" style={{ display: 'block' }}>{holders.get(row.id)?.join(', ')}</span>}</>, sort: (row) => row.kind },
    { id: 'objects', head: t('taxii.col.objects'), cell: (row) => count(row.objects), sort: (row) => row.objects, right: true },
    { id: 'acts', head: '', cell: (row) => may && (row.kind === 'open' || row.kind === 'closed') && <Sure small text={t('taxii.remove')} of={row.title} sure={t('taxii.remove_sure')} busy={gone.isPending} onSure={() => gone.mutate(row)} />, right: true },
  ];
  return (
    <>
      <DataTable rows={list} columns={columns} caption={t('nav.collections')} rowKey={(row) => row.id} />
      {gone.isError && <Failed error={gone.error} />}
    </>
  );
}

function NewCollection({ roots }: { roots: TaxiiRoot[] }) {
  const [title, setTitle] = useState('');
  const [alias, setAlias] = useState('');
  const [root, setRoot] = useState(roots[0]?.name ?? '');
  const [kind, setKind] = useState('closed');
  const act = useAct(
    () => post<Collection>('/taxii/collections', { title: title.trim(), root, alias: alias.trim() || null, public_read: kind === 'open' }),
    ['collections'],
    () => {
      setTitle('');
      setAlias('');
    },
  );
  return (
    <Panel title={t('taxii.new')}>
      <ActForm
        act={act}
        done={(made) => (
          <Banner tone="good" icon="check">
            <p>{t('taxii.made', { title: made.title })}</p>
            <p><code className="wrap">sereno token new --role taxii --collection {made.id}:read</code></p>
          </Banner>
        )}
      >
        <TextInput label={t('taxii.col.title')} required maxLength={200} w={260} value={title} onChange={(event) => setTitle(event.currentTarget.value)} />
        <TextInput label={t('taxii.alias')} maxLength={64} pattern="[a-z0-9\-]*" value={alias} onChange={(event) => setAlias(event.currentTarget.value)} />
        <NativeSelect label={t('taxii.root')} data={roots.map((one) => one.name)} value={root} onChange={(event) => setRoot(event.currentTarget.value)} />
        <NativeSelect label={t('taxii.read_by')} data={KINDS.map((value) => ({ value, label: word('taxii.kind', value) }))} value={kind} onChange={(event) => setKind(event.currentTarget.value)} />
        <Button type="submit" plain busy={act.isPending}>{t('taxii.make')}</Button>
      </ActForm>
    </Panel>
  );
}

function Roots({ list, may }: { list: TaxiiRoot[]; may: boolean }) {
  const gone = useAct((row: TaxiiRoot) => remove(`/taxii/roots/${row.name}`), ['taxii-roots']);
  const columns: Column<TaxiiRoot>[] = [
    { id: 'name', head: t('taxii.root'), cell: (row) => <code>/taxii2/{row.name}/</code>, sort: (row) => row.name },
    { id: 'title', head: t('taxii.col.title'), cell: (row) => row.title, sort: (row) => row.title },
    { id: 'seen', head: t('taxii.seen_by'), cell: (row) => row.seen_by.join(', ') || t('taxii.seen_by_all'), sort: (row) => row.seen_by.join(', ') },
    { id: 'most', head: t('taxii.most'), cell: (row) => (row.max_content_length === null ? '–' : count(row.max_content_length)), sort: (row) => row.max_content_length ?? 0, right: true },
    { id: 'acts', head: '', cell: (row) => may && row.name !== 'sereno' && <Sure small text={t('taxii.remove')} of={row.name} sure={t('taxii.remove_sure')} busy={gone.isPending} onSure={() => gone.mutate(row)} />, right: true },
  ];
  return (
    <>
      <DataTable rows={list} columns={columns} caption={t('taxii.roots_head')} rowKey={(row) => row.name} />
      {gone.isError && <Failed error={gone.error} />}
    </>
  );
}

function NewRoot() {
  const [name, setName] = useState('');
  const [title, setTitle] = useState('');
  const [seenBy, setSeenBy] = useState('');
  const act = useAct(
    () => post<TaxiiRoot>('/taxii/roots', { name: name.trim(), title: title.trim(), seen_by: seenBy.split(/[\s,]+/).filter(Boolean) }),
    ['taxii-roots'],
    () => {
      setName('');
      setTitle('');
      setSeenBy('');
    },
  );
  return (
    <Panel title={t('taxii.new_root')}>
      <ActForm act={act}>
        <TextInput label={t('taxii.root_name')} required maxLength={64} pattern="[a-z0-9\-]+" value={name} onChange={(event) => setName(event.currentTarget.value)} />
        <TextInput label={t('taxii.col.title')} required maxLength={200} w={260} value={title} onChange={(event) => setTitle(event.currentTarget.value)} />
        <TextInput label={t('taxii.seen_by')} description={t('taxii.seen_by_why')} w={260} value={seenBy} onChange={(event) => setSeenBy(event.currentTarget.value)} />
        <Button type="submit" plain busy={act.isPending}>{t('taxii.make')}</Button>
      </ActForm>
    </Panel>
  );
}
