import { TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { post, remove } from '@/api/client';
import { reads } from '@/api/queries';
import type { Backup, BackupVerdict } from '@/api/types';
import { useAct } from '@/parts/act';
import { Button } from '@/parts/button';
import { Check } from '@/parts/check';
import { Guide } from '@/parts/empty';
import { ActForm } from '@/parts/form';
import { bytes, count, percent } from '@/parts/format';
import { Banner, Failed, Loaded, PageView, Panel } from '@/parts/page';
import { Sure } from '@/parts/sure';
import { DataTable, type Column } from '@/parts/table';
import { PlainTag } from '@/parts/tags';
import { Wall } from '@/parts/time';
import { t, tn } from '@/strings/pages';

/** As the node asks for it. */
const MIN_PASSPHRASE = 14;

function Verdict({ backup }: { backup: Backup }) {
  if (!backup.verdict) return <span className="quiet">{t('backups.unread')}</span>;
  const sound = backup.verdict === 'sound';
  return (
    <>
      <PlainTag tone={sound ? 'low' : 'critical'} shape={sound ? 'ring' : 'cross'}>{sound ? t('backups.sound') : backup.verdict}</PlainTag>
      {backup.verified_at && <span className="small soft" style={{ display: 'block' }}><Wall at={backup.verified_at} /></span>}
    </>
  );
}

/** Copies of the data folder: which there are, whether they are whole, a new one. */
export function BackupsPage() {
  const list = useQuery(reads.backups());
  const [reading, setReading] = useState('');
  const away = useAct((backup: Backup) => remove(`/backups/${backup.name}`), ['backups']);
  const columns: Column<Backup>[] = [
    { id: 'name', head: t('backups.col.made'), cell: (row) => <><Wall at={row.made_at} relative /><span className="small quiet" style={{ display: 'block', overflowWrap: 'anywhere' }}>{row.name}</span></>, sort: (row) => row.made_at },
    { id: 'by', head: t('backups.col.by'), cell: (row) => (row.kind === 'backup' ? row.by === 'system' ? t('backups.by_itself') : row.by : t('backups.before_upgrade')), sort: (row) => row.by },
    { id: 'bytes', head: t('backups.col.bytes'), right: true, cell: (row) => bytes(row.bytes), sort: (row) => row.bytes },
    { id: 'sealed', head: t('backups.col.sealed'), cell: (row) => t(row.keys ? 'backups.with_keys' : row.sealed ? 'backups.sealed' : 'backups.open'), sort: (row) => Number(row.sealed) },
    { id: 'verdict', head: t('backups.col.verdict'), cell: (row) => <Verdict backup={row} />, sort: (row) => row.verdict ?? '' },
    {
      id: 'acts',
      head: '',
      cell: (row) => (
        <span className="inline" style={{ flexWrap: 'nowrap' }}>
          <Button small plain onClick={() => setReading(reading === row.name ? '' : row.name)} aria-expanded={reading === row.name} aria-label={t('backups.read_this', { name: row.name })}>{t('backups.read')}</Button>
          <a className="button plain-look small-look" href={`/api/v1/backups/${row.name}`} download={row.name} aria-label={t('backups.take_this', { name: row.name })}>{t('backups.take')}</a>
          <Sure text={t('backups.remove')} sure={t('backups.remove_sure')} of={row.name} small busy={away.isPending} onSure={() => away.mutate(row)} />
        </span>
      ),
    },
  ];
  const newest = list.data?.items.find((one) => one.kind === 'backup');
  const open = list.data?.items.find((one) => one.name === reading);
  const title = !list.data ? t('nav.backups') : newest ? tn('backups.title', list.data.items.length) : t('backups.title_none');
  return (
    <PageView title={title} lead={list.data && (list.data.every_h > 0 ? tn('backups.lead', list.data.every_h, { keep: count(list.data.keep), folder: list.data.folder }) : t('backups.lead_off', { folder: list.data.folder }))}>
      <div className="stack wide">
        {list.data?.failed && <Banner tone="critical">{t('backups.failed')} {list.data.failed}</Banner>}
        {list.data?.running && <p role="status">{t('backups.running', { name: list.data.running.name })} {list.data.running.of > 0 && percent(list.data.running.done / list.data.running.of)}</p>}
        {away.isError && <Failed error={away.error} />}
        <section className="panel">
          <Loaded query={list}>
            {({ items }) => (items.length === 0 ? <Guide name="backups" /> : <DataTable rows={items} columns={columns} caption={t('nav.backups')} rowKey={(row) => row.name} />)}
          </Loaded>
        </section>
        {open && <Read key={open.name} backup={open} />}
        <New busy={Boolean(list.data?.running)} />
      </div>
    </PageView>
  );
}

/** Reads one to its signed end; what opens it is sent and forgotten. */
function Read({ backup }: { backup: Backup }) {
  const [passphrase, setPassphrase] = useState('');
  const [identity, setIdentity] = useState('');
  const act = useAct(() => post<BackupVerdict>(`/backups/${backup.name}/verify`, { passphrase: passphrase || null, identity: identity || null }), ['backups']);
  return (
    <Panel title={t('backups.read_this', { name: backup.name })}>
      <ActForm act={act} done={(found) => <p role="status">{found.sound ? t('backups.found_sound', { files: count(found.checked?.files ?? 1) }) : t('backups.found_ill', { why: found.verdict })}</p>}>
        {backup.sealed && <TextInput label={t('backups.passphrase')} type="password" autoComplete="off" maxLength={1000} value={passphrase} onChange={(event) => setPassphrase(event.currentTarget.value)} />}
        {backup.sealed && <TextInput label={t('backups.identity')} type="password" autoComplete="off" maxLength={200} value={identity} placeholder="AGE-SECRET-KEY-1…" onChange={(event) => setIdentity(event.currentTarget.value)} />}
        <Button type="submit" plain busy={act.isPending}>{t('backups.read')}</Button>
      </ActForm>
    </Panel>
  );
}

function New({ busy }: { busy: boolean }) {
  const [passphrase, setPassphrase] = useState('');
  const [recipients, setRecipients] = useState('');
  const [keys, setKeys] = useState(false);
  const sealed = passphrase !== '' || recipients.trim() !== '';
  const act = useAct(
    () => post<{ name: string }>('/backups', { passphrase: passphrase || null, recipients: recipients.split(/[\s,]+/).filter(Boolean), keys: keys && sealed }),
    ['backups'],
    () => setPassphrase(''),
  );
  const short = passphrase !== '' && passphrase.length < MIN_PASSPHRASE;
  return (
    <Panel title={t('backups.new')}>
      <p className="soft small">{t('backups.new_why')}</p>
      <ActForm act={act} done={(begun) => <p role="status">{t('backups.begun', { name: begun.name })}</p>}>
        <TextInput label={t('backups.seal_passphrase')} type="password" autoComplete="new-password" maxLength={1000} value={passphrase} error={short ? tn('backups.short', MIN_PASSPHRASE) : undefined} disabled={recipients.trim() !== ''} onChange={(event) => setPassphrase(event.currentTarget.value)} />
        <TextInput label={t('backups.seal_recipients')} maxLength={2000} value={recipients} placeholder="age1…" disabled={passphrase !== ''} onChange={(event) => setRecipients(event.currentTarget.value)} />
        <Check checked={keys && sealed} disabled={!sealed} onChange={setKeys}>{t('backups.keys')}</Check>
        <Button type="submit" busy={act.isPending} disabled={busy || short}>{t('backups.new')}</Button>
      </ActForm>
    </Panel>
  );
}
