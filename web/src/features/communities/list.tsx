import { FileInput, NativeSelect, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { patch, post, remove } from '@/api/client';
import { reads } from '@/api/queries';
import type { Community, Organisation } from '@/api/types';
import { useMay } from '@/app/session';
import { useAct } from '@/parts/act';
import { Button } from '@/parts/button';
import { ActForm } from '@/parts/form';
import { Guide } from '@/parts/empty';
import { Banner, Failed, Loaded, PageView, Panel } from '@/parts/page';
import { DataTable, type Column } from '@/parts/table';
import { TlpTag } from '@/parts/tags';
import { t, tn, word } from '@/strings/pages';
import { Standing } from './standing';

export const TLP = ['TLP:CLEAR', 'TLP:GREEN', 'TLP:AMBER', 'TLP:AMBER+STRICT', 'TLP:RED'];

const columns: Column<Community>[] = [
  { id: 'name', head: t('circle.col.name'), cell: (row) => row.name, sort: (row) => row.name },
  { id: 'leader', head: t('circle.col.leader'), cell: (row) => (row.led ? t('circle.here') : row.leader), sort: (row) => row.leader },
  { id: 'role', head: t('circle.col.role'), cell: (row) => word('circle.role', row.role), sort: (row) => row.role },
  { id: 'tlp', head: t('circle.col.tlp'), cell: (row) => <TlpTag value={row.max_tlp} />, sort: (row) => row.max_tlp },
  { id: 'state', head: t('circle.col.state'), cell: (row) => <Standing state={row.state} holds={row.holds} />, sort: (row) => row.state },
];

/** The circles of trust this organisation is in, and the organisations it exchanges with. */
export function CommunitiesPage() {
  const communities = useQuery(reads.communities());
  const organisations = useQuery(reads.organisations());
  const may = useMay('communities.manage');
  const list = communities.data;
  return (
    <PageView title={list ? tn('circle.title', list.length, { led: list.filter((one) => one.led).length }) : t('nav.communities')} lead={t('circle.lead')}>
      <div className="stack wide">
        <Panel title={t('nav.communities')} flush>
          <Loaded query={communities}>
            {(all) =>
              all.length === 0 ? <Guide name="communities" title={t('circle.empty')} why={t('circle.empty_why')} /> : (
                <DataTable rows={all} columns={columns} caption={t('nav.communities')} rowKey={(row) => row.id} door={(row) => ({ to: '/communities/$id', params: { id: row.id } })} />
              )
            }
          </Loaded>
        </Panel>
        {may && <NewCommunity />}
        {may && <Join />}
        <Panel title={t('circle.organisations')} flush>
          <Loaded query={organisations}>{(all) => <Organisations list={all} />}</Loaded>
        </Panel>
        {may && <NewOrganisation />}
        {may && organisations.data && <Describe list={organisations.data} />}
      </div>
    </PageView>
  );
}

function Organisations({ list }: { list: Organisation[] }) {
  const columns: Column<Organisation>[] = [
    { id: 'name', head: t('circle.col.organisation'), cell: (row) => <>{row.name}{row.own && <span className="quiet"> ({t('circle.own')})</span>}{!row.has_node && <span className="quiet"> ({t('circle.nodeless')})</span>}</>, sort: (row) => row.name },
    { id: 'kind', head: t('circle.col.kind'), cell: (row) => word('circle.kind', row.kind), sort: (row) => row.kind },
    { id: 'sector', head: t('circle.col.sector'), cell: (row) => row.sector || '–', sort: (row) => row.sector },
    { id: 'country', head: t('circle.col.country'), cell: (row) => row.country || '–', sort: (row) => row.country },
  ];
  return <DataTable rows={list} columns={columns} caption={t('circle.organisations')} rowKey={(row) => row.id} />;
}

/** What policies may ask about an organisation: as recorded here, not as it says itself. */
function Describe({ list }: { list: Organisation[] }) {
  const [chosen, setChosen] = useState(list[0]?.id ?? '');
  const one = list.find((each) => each.id === chosen);
  return (
    <Panel title={t('circle.describe')} end={<NativeSelect aria-label={t('circle.col.organisation')} data={list.map((each) => ({ value: each.id, label: each.name }))} value={chosen} onChange={(event) => setChosen(event.currentTarget.value)} />}>
      {one && <Described key={JSON.stringify(one)} one={one} />}
    </Panel>
  );
}

const KINDS = ['operator', 'cert', 'authority', 'vendor', 'other'];

function Described({ one }: { one: Organisation }) {
  const [kind, setKind] = useState(one.kind);
  const [sector, setSector] = useState(one.sector);
  const [country, setCountry] = useState(one.country);
  const act = useAct(() => patch(`/organisations/${one.id}`, { kind, sector: sector.trim(), country: country.trim().toUpperCase() }), ['organisations', 'sharing']);
  return (
    <ActForm act={act}>
      <NativeSelect label={t('circle.col.kind')} data={KINDS.map((value) => ({ value, label: word('circle.kind', value) }))} value={kind} onChange={(event) => setKind(event.currentTarget.value)} />
      <TextInput label={t('circle.col.sector')} maxLength={80} value={sector} onChange={(event) => setSector(event.currentTarget.value)} />
      <TextInput label={t('circle.col.country')} description={t('circle.country_help')} maxLength={2} w={140} value={country} onChange={(event) => setCountry(event.currentTarget.value)} />
      <Button type="submit" plain busy={act.isPending}>{t('circle.describe_save')}</Button>
      {!one.has_node && <Forget one={one} />}
    </ActForm>
  );
}

/** Tokens, accounts and pushes for it get nothing any more. */
function Forget({ one }: { one: Organisation }) {
  const act = useAct(() => remove(`/organisations/${one.id}`), ['organisations', 'sharing']);
  return (
    <>
      <Button type="button" plain busy={act.isPending} onClick={() => act.mutate()} aria-label={t('circle.forget_this', { name: one.name })}>{t('circle.forget_organisation')}</Button>
      {act.isError && <Failed error={act.error} />}
    </>
  );
}

/** An organisation that has no node: tokens, accounts and pushes may be for it. */
function NewOrganisation() {
  const [name, setName] = useState('');
  const [kind, setKind] = useState('other');
  const act = useAct(() => post<Organisation>('/organisations', { name: name.trim(), kind }), ['organisations', 'sharing'], () => setName(''));
  return (
    <Panel title={t('circle.new_organisation')}>
      <ActForm act={act}>
        <TextInput label={t('circle.col.name')} description={t('circle.new_organisation_why')} required maxLength={120} w={300} value={name} onChange={(event) => setName(event.currentTarget.value)} />
        <NativeSelect label={t('circle.col.kind')} data={KINDS.map((value) => ({ value, label: word('circle.kind', value) }))} value={kind} onChange={(event) => setKind(event.currentTarget.value)} />
        <Button type="submit" plain busy={act.isPending}>{t('circle.make')}</Button>
      </ActForm>
    </Panel>
  );
}

function NewCommunity() {
  const [name, setName] = useState('');
  const [description, setDescription] = useState('');
  const [tlp, setTlp] = useState('TLP:AMBER');
  const act = useAct(
    () => post<Community>('/communities', { name: name.trim(), description: description.trim(), max_tlp: tlp }),
    ['communities'],
    () => {
      setName('');
      setDescription('');
    },
  );
  return (
    <Panel title={t('circle.new')}>
      <ActForm act={act}>
        <TextInput label={t('circle.col.name')} required maxLength={120} w={220} value={name} onChange={(event) => setName(event.currentTarget.value)} />
        <TextInput label={t('circle.purpose')} maxLength={1000} w={300} value={description} onChange={(event) => setDescription(event.currentTarget.value)} />
        <NativeSelect label={t('circle.col.tlp')} data={TLP} value={tlp} onChange={(event) => setTlp(event.currentTarget.value)} />
        <Button type="submit" plain busy={act.isPending}>{t('circle.make')}</Button>
      </ActForm>
    </Panel>
  );
}

/** An invitation file of another node; the node checks its signature before it asks the leader. */
function Join() {
  const [file, setFile] = useState<File | null>(null);
  const act = useAct(
    async (chosen: File) => {
      let invitation: unknown;
      try {
        invitation = JSON.parse(await chosen.text());
      } catch {
        throw new Error(t('circle.not_json'));
      }
      return post<Community>('/communities/join', invitation);
    },
    ['communities'],
    () => setFile(null),
  );
  return (
    <Panel title={t('circle.join')}>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          if (file) act.mutate(file);
        }}
      >
        <div className="row" style={{ alignItems: 'flex-end' }}>
          <FileInput label={t('circle.invitation')} accept=".json,application/json" value={file} onChange={setFile} placeholder="invitation.json" w={300} />
          <Button type="submit" plain disabled={!file} busy={act.isPending}>{t('circle.join_go')}</Button>
        </div>
        {act.isError && <Failed error={act.error} />}
        {act.data && <Banner tone="good" icon="check">{t('circle.asked', { name: act.data.name, leader: act.data.leader })}</Banner>}
      </form>
    </Panel>
  );
}
