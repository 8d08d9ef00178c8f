import { Textarea, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { post, put, remove } from '@/api/client';
import { reads } from '@/api/queries';
import type { Actuator, ActuatorTest, Secret } from '@/api/types';
import { useMay } from '@/app/session';
import { useAct } from '@/parts/act';
import { Button } from '@/parts/button';
import { Empty, Failed, Loaded, PageView, Panel } from '@/parts/page';
import { sentence } from '@/parts/sentence';
import { Sure } from '@/parts/sure';
import { DataTable, type Column } from '@/parts/table';
import { PlainTag } from '@/parts/tags';
import { Wall } from '@/parts/time';
import { t, tn } from '@/strings/pages';
import './automation.css';

/** What playbooks command, and the credentials they command it with. */
export function ActuatorsPage() {
  const actuators = useQuery(reads.actuators());
  const maySecrets = useMay('secrets.list');
  const there = actuators.data?.filter((one) => one.configured).length ?? 0;
  return (
    <PageView title={actuators.data ? tn('actuator.title', there, { more: actuators.data.length - there }) : t('nav.actuators')} crumb={{ to: '/playbooks', text: t('nav.playbooks') }} lead={t('actuator.lead')}>
      <div className="stack wide">
        <Panel title={t('actuator.all')} flush>
          <Loaded query={actuators}>{(list) => <Actuators list={list} />}</Loaded>
        </Panel>
        {maySecrets && <Secrets />}
      </div>
    </PageView>
  );
}

function State({ one, tested }: { one: Actuator; tested: ActuatorTest | undefined }) {
  return (
    <>
      {one.configured ? <PlainTag tone="good" shape="check">{t('actuator.there')}</PlainTag> : <PlainTag>{t('actuator.absent')}</PlainTag>}
      {!one.configured && one.remedy && <p className="small soft">{sentence(one.remedy)}</p>}
      {tested && (
        <p className="small" role="status">
          <PlainTag tone={tested.ok === null ? 'low' : tested.ok ? 'good' : 'critical'} shape={tested.ok === null ? 'ring' : tested.ok ? 'check' : 'cross'}>{t(tested.ok === null ? 'actuator.unasked' : tested.ok ? 'actuator.takes' : 'actuator.refuses')}</PlainTag> {sentence(tested.summary)}
        </p>
      )}
    </>
  );
}

function Actuators({ list }: { list: Actuator[] }) {
  const may = useMay('playbooks.write');
  const [tested, setTested] = useState<Record<string, ActuatorTest>>({});
  const test = useAct(async (name: string) => {
    const result = await post<ActuatorTest>(`/actuators/${encodeURIComponent(name)}/test`);
    setTested((before) => ({ ...before, [name]: { ...result, ok: result.ok ?? null } }));
  }, []);
  const columns: Column<Actuator>[] = [
    { id: 'name', head: t('actuator.col.name'), cell: (row) => <code className="strong">{row.name}</code>, sort: (row) => row.name },
    { id: 'state', head: t('actuator.col.state'), cell: (row) => <State one={row} tested={tested[row.name]} />, sort: (row) => (row.configured ? 0 : 1) },
    {
      id: 'verbs',
      head: t('actuator.col.verbs'),
      cell: (row) => (
        <>
          {row.verbs.map((verb) => <p key={verb.verb} className="small"><code>{verb.verb}</code> <span className="soft">{verb.does}</span></p>)}
          {row.commands.length > 0 && <p className="small quiet">{t('actuator.commands', { types: row.commands.join(', ') })}</p>}
        </>
      ),
    },
  ];
  if (may) {
    columns.push({
      id: 'acts',
      head: '',
      cell: (row) => row.configured && <Button small plain disabled={test.isPending} busy={test.isPending && test.variables === row.name} onClick={() => test.mutate(row.name)} aria-label={t('actuator.test_this', { name: row.name })}>{t('actuator.test')}</Button>,
    });
  }
  const ordered = [...list].sort((a, b) => Number(b.configured) - Number(a.configured) || a.name.localeCompare(b.name));
  return (
    <>
      {test.isError && <div style={{ padding: 12 }}><Failed error={test.error} /></div>}
      <DataTable rows={ordered} columns={columns} caption={t('actuator.all')} rowKey={(row) => row.name} />
    </>
  );
}

function Secrets() {
  const secrets = useQuery(reads.secrets());
  const may = useMay('secrets.write');
  const away = useAct((name: string) => remove(`/secrets/${encodeURIComponent(name)}`), ['secrets', 'actuators']);
  const columns: Column<Secret>[] = [
    { id: 'name', head: t('secret.col.name'), cell: (row) => <code className="strong">{row.name}</code>, sort: (row) => row.name },
    { id: 'hosts', head: t('secret.col.hosts'), cell: (row) => (row.hosts.includes('*') ? t('secret.any') : row.hosts.join(', ')) },
    { id: 'by', head: t('secret.col.by'), cell: (row) => row.set_by, sort: (row) => row.set_by },
    { id: 'at', head: t('secret.col.at'), cell: (row) => <Wall at={row.set_at} relative />, sort: (row) => row.set_at },
  ];
  if (may) columns.push({ id: 'acts', head: '', cell: (row) => <Sure small text={t('secret.remove')} sure={t('secret.remove_sure')} of={row.name} busy={away.isPending} onSure={() => away.mutate(row.name)} /> });
  return (
    <>
      <Panel title={t('secret.title')} flush>
        {away.isError && <div style={{ padding: 12 }}><Failed error={away.error} /></div>}
        <Loaded query={secrets}>
          {(list) => (list.length === 0 ? <Empty title={t('secret.empty')}>{t('secret.empty_why')}</Empty> : <DataTable rows={list} columns={columns} caption={t('secret.title')} rowKey={(row) => row.name} />)}
        </Loaded>
      </Panel>
      {may && <SetSecret taken={secrets.data?.map((one) => one.name) ?? []} />}
    </>
  );
}

/** "fw.example, 10.0.0.7" or one a line. */
export const hostsOf = (text: string): string[] => [...new Set(text.split(/[\s,]+/).filter((one) => one !== ''))];

/** Sets a credential. The value leaves the page with the answer; nothing reads it back. */
function SetSecret({ taken }: { taken: string[] }) {
  const [name, setName] = useState('');
  const [hosts, setHosts] = useState('');
  const [value, setValue] = useState('');
  const [kept, setKept] = useState('');
  const set = useAct(() => put(`/secrets/${encodeURIComponent(name.trim())}`, { value, hosts: hostsOf(hosts) }), ['secrets', 'actuators'], () => {
    setKept(name.trim());
    setName('');
    setHosts('');
    setValue('');
  });
  const over = taken.includes(name.trim());
  return (
    <Panel title={t('secret.set_title')}>
      <form
        className="stack"
        autoComplete="off"
        onSubmit={(event) => {
          event.preventDefault();
          set.mutate();
        }}
      >
        <div className="auto-fields">
          <TextInput label={t('secret.name')} required maxLength={64} pattern="[A-Za-z0-9._\-]+" autoComplete="off" value={name} onChange={(event) => setName(event.currentTarget.value)} />
          <TextInput label={t('secret.hosts')} required maxLength={8000} placeholder="fw.city.example" autoComplete="off" value={hosts} onChange={(event) => setHosts(event.currentTarget.value)} />
        </div>
        <Textarea label={t('secret.value')} required autosize minRows={1} maxRows={6} autoComplete="off" spellCheck={false} className="secret-value" classNames={{ input: 'mono' }} value={value} onChange={(event) => setValue(event.currentTarget.value)} />
        <p className="small quiet">{t('secret.value_why')}{hostsOf(hosts).includes('*') && <b> {t('secret.any_why')}</b>}</p>
        <div className="row">
          <Button type="submit" plain busy={set.isPending} disabled={name.trim() === '' || value === '' || hostsOf(hosts).length === 0}>{t(over ? 'secret.set_over' : 'secret.set')}</Button>
          {set.isSuccess && name === '' && <span role="status">{t('secret.kept', { name: kept })}</span>}
        </div>
        {set.isError && <Failed error={set.error} />}
      </form>
    </Panel>
  );
}
