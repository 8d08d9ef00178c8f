import { NativeSelect, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { putJson } from '@/api/client';
import { reads } from '@/api/queries';
import type { AllowEntry, AllowList, AllowRow } from '@/api/types';
import { useMay } from '@/app/session';
import { useAct } from '@/parts/act';
import { Button } from '@/parts/button';
import { count } from '@/parts/format';
import { Failed, Ghost, Loaded, Panel } from '@/parts/page';
import { Sure } from '@/parts/sure';
import { DataTable, type Column } from '@/parts/table';
import { PlainTag } from '@/parts/tags';
import { useNow, Wall } from '@/parts/time';
import { t, tn, word } from '@/strings/pages';
import { bare, entryOf, keeping } from './allow-draft';
import { serviceText } from './flow';
import { MudForm } from './mud';
import './gateway.css';

const LOOKS = { learning: ['accent', 'half'], frozen: ['good', 'check'], off: ['low', 'ring'] } as const;
const LEARN_S = ['3600', '86400', '604800', '2592000'];

type Change = { state: string; learn_s?: number; add?: AllowEntry[]; remove?: AllowEntry[]; anew?: boolean };

function useSet(gateway: string, device: string, done?: () => void) {
  return useAct((change: Change) => putJson<AllowList>(`/gateways/${encodeURIComponent(gateway)}/allow/${encodeURIComponent(device)}`, change), ['gateways', 'ledger'], done);
}

/** With whom each device may speak: learned, by hand or from its maker; frozen lists are enforced. */
export function AllowLists({ gateway, open, onOpen }: { gateway: string; open: string | undefined; onOpen: (device: string | undefined) => void }) {
  const lists = useQuery(reads.allowLists(gateway));
  const devices = useQuery(reads.devices());
  const may = useMay('gateway.policy');
  const nameOf = (device: string) => devices.data?.find((one) => one.mac === device || one.addresses.includes(device))?.name ?? device;
  return (
    <Panel title={t('gw.allow')} flush>
      <Loaded query={lists} ghost={<Ghost rows={3} />}>
        {(all) => (
          <>
            {all.length === 0 && <p className="small quiet" style={{ padding: '16px 16px 0' }}>{t('gw.allow_none')}</p>}
            {all.map((list) => <OneList key={list.device} gateway={gateway} list={list} name={nameOf(list.device)} may={may} open={open === list.device} onOpen={onOpen} />)}
            {may && <NewList gateway={gateway} taken={all.map((list) => list.device)} />}
          </>
        )}
      </Loaded>
    </Panel>
  );
}

interface OneListProps {
  gateway: string;
  list: AllowList;
  name: string;
  may: boolean;
  open: boolean;
  onOpen: (device: string | undefined) => void;
}

function OneList({ gateway, list, name, may, open, onOpen }: OneListProps) {
  const [tone, shape] = LOOKS[list.state];
  const set = useSet(gateway, list.device);
  return (
    <section className="allow-list" aria-label={t('gw.list_of', { name })}>
      <div className="row apart">
        <span className="row"><b>{name}</b>{name !== list.device && <span className="mono small quiet">{list.device}</span>}<PlainTag tone={tone} shape={shape}>{word('gw.list_state', list.state)}</PlainTag></span>
        <Button small plain aria-expanded={open} onClick={() => onOpen(open ? undefined : list.device)} aria-label={`${t(open ? 'gw.list_close' : 'gw.list_open')}: ${name}`}>{t(open ? 'gw.list_close' : 'gw.list_open')}</Button>
      </div>
      <p className="small soft">
        {tn('gw.entries', list.entries.length)} · <span className={list.violations > 0 ? 'strong' : ''}>{tn('gw.violations', list.violations)}</span>
        {list.state === 'learning' && (list.learn_until ? <> · {t('gw.learns_until')} <Wall at={list.learn_until} relative /></> : <> · {t('gw.learns_on')}</>)}
      </p>
      {may && (
        <div className="row">
          {list.state !== 'frozen' && <Sure small text={t('gw.freeze')} sure={t('gw.freeze_sure')} of={name} busy={set.isPending} onSure={() => set.mutate({ state: 'frozen' })} />}
          {list.state !== 'learning' && <Button small plain busy={set.isPending} onClick={() => set.mutate({ state: 'learning', learn_s: 604_800 })} aria-label={`${t('gw.learn_week')}: ${name}`}>{t('gw.learn_week')}</Button>}
          {list.state !== 'off' && <Button small plain busy={set.isPending} onClick={() => set.mutate({ state: 'off' })} aria-label={`${t('gw.list_off')}: ${name}`}>{t('gw.list_off')}</Button>}
        </div>
      )}
      {set.isError && <Failed error={set.error} />}
      {open && <Entries gateway={gateway} list={list} name={name} may={may} />}
    </section>
  );
}

function Entries({ gateway, list, name, may }: { gateway: string; list: AllowList; name: string; may: boolean }) {
  const now = useNow();
  const [text, setText] = useState('');
  const set = useSet(gateway, list.device, () => setText(''));
  const typed = entryOf(text);
  const columns: Column<AllowRow>[] = [
    { id: 'peer', head: t('gw.col.peer'), cell: (row) => <span className="mono">{row.peer}</span>, sort: (row) => row.peer },
    { id: 'service', head: t('gw.col.service'), cell: (row) => serviceText(row), sort: (row) => serviceText(row) },
    { id: 'source', head: t('gw.col.source'), cell: (row) => word('gw.source', row.source), sort: (row) => row.source },
    { id: 'packets', head: t('gw.col.packets'), cell: (row) => count(row.packets), sort: (row) => row.packets, right: true },
    { id: 'seen', head: t('gw.col.last'), cell: (row) => <Wall at={row.last_seen} relative />, sort: (row) => row.last_seen },
    ...(may ? [{ id: 'acts', head: '', cell: (row: AllowRow) => <Button small plain disabled={set.isPending} onClick={() => set.mutate({ ...keeping(list, now), remove: [bare(row)] })} aria-label={`${t('gw.take_out')}: ${row.peer} ${serviceText(row)}`}>{t('gw.take_out')}</Button> }] : []),
  ];
  return (
    <div className="stack">
      {list.entries.length > 0 && <DataTable rows={list.entries} columns={columns} caption={t('gw.list_of', { name })} rowKey={(row) => JSON.stringify(bare(row))} />}
      {set.isError && <Failed error={set.error} />}
      {may && (
        <>
          <form
            className="fields"
            onSubmit={(event) => {
              event.preventDefault();
              if (typed) set.mutate({ ...keeping(list, now), add: [typed] });
            }}
          >
            <TextInput label={t('gw.add_entry')} description={t('gw.add_entry_lead')} w={340} spellCheck={false} value={text} placeholder="10.0.0.9,tcp,502" error={text !== '' && !typed ? t('gw.add_entry_wrong') : undefined} onChange={(event) => setText(event.currentTarget.value)} />
            <Button type="submit" small disabled={!typed} busy={set.isPending}>{t('gw.add_entry_go')}</Button>
          </form>
          <MudForm gateway={gateway} device={list.device} frozen={list.state === 'frozen'} />
        </>
      )}
    </div>
  );
}

/** A list begins with learning, by hand (off), or with a maker's file. */
function NewList({ gateway, taken }: { gateway: string; taken: string[] }) {
  const devices = useQuery(reads.devices());
  const [device, setDevice] = useState('');
  const [seconds, setSeconds] = useState('604800');
  const act = useSet(gateway, device.trim(), () => setDevice(''));
  const known = (devices.data ?? []).flatMap((one) => {
    const name = one.mac ?? one.addresses[0];
    return name && !taken.includes(name) ? [{ value: name, label: one.name }] : [];
  });
  return (
    <form
      className="allow-list"
      onSubmit={(event) => {
        event.preventDefault();
        act.mutate(seconds === 'off' ? { state: 'off' } : { state: 'learning', learn_s: Number(seconds) });
      }}
    >
      <h3>{t('gw.list_new')}</h3>
      <div className="fields">
        <NativeSelect label={t('gw.device')} data={[{ value: '', label: t('gw.device_typed') }, ...known]} value={known.some((one) => one.value === device) ? device : ''} onChange={(event) => setDevice(event.currentTarget.value)} />
        <TextInput label={t('gw.list_device')} required w={220} maxLength={64} spellCheck={false} value={device} onChange={(event) => setDevice(event.currentTarget.value)} />
        <NativeSelect label={t('gw.list_begin')} data={[...LEARN_S.map((one) => ({ value: one, label: t('gw.learn_for', { time: word('gw.time', one) }) })), { value: 'off', label: t('gw.list_begin_off') }]} value={seconds} onChange={(event) => setSeconds(event.currentTarget.value)} />
        <Button type="submit" small plain disabled={device.trim() === ''} busy={act.isPending}>{t('gw.list_make')}</Button>
      </div>
      {act.isError && <Failed error={act.error} />}
    </form>
  );
}
