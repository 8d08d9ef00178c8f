import { NativeSelect, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { patch, post, remove } from '@/api/client';
import { reads } from '@/api/queries';
import type { Webhook, WebhookMade, WebhookTested } from '@/api/types';
import { useAct } from '@/parts/act';
import { Button } from '@/parts/button';
import { Check } from '@/parts/check';
import { count } from '@/parts/format';
import { Guide } from '@/parts/empty';
import { Failed, Loaded, PageView, Panel } from '@/parts/page';
import { ActForm } from '@/parts/form';
import { DataTable, type Column } from '@/parts/table';
import { PlainTag, TlpTag } from '@/parts/tags';
import { Wall } from '@/parts/time';
import { t, tn, word } from '@/strings/pages';
import '@/features/knowledge/knowledge.css';

const SHAPES = { fine: ['low', 'ring'], failing: ['high', 'diamond'], paused: ['medium', 'triangle'] } as const;
const LABELS = ['clear', 'green', 'amber', 'amber+strict', 'red'];
const EVENTS = ['object.new', 'object.updated', 'object.revoked', 'sighting', 'lookup.hit', 'feed.failed', 'feed.works', 'share.moved', 'incident.opened', 'rule.changed'];

function State({ hook }: { hook: Webhook }) {
  const [tone, shape] = SHAPES[hook.state];
  return (
    <>
      <PlainTag tone={tone} shape={shape}>{word('hooks.state', hook.state)}</PlainTag>
      {hook.both_until && <span className="small soft" style={{ display: 'block' }}>{t('hooks.both')} <Wall at={hook.both_until} /></span>}
      {(hook.paused_because ?? hook.last_error) && <span className="small soft" style={{ display: 'block' }}>{hook.paused_because ?? hook.last_error}</span>}
    </>
  );
}

/** Receivers outside and how they are. */
export function WebhooksPage() {
  const hooks = useQuery(reads.webhooks());
  const [rotated, setRotated] = useState('');
  const ill = hooks.data?.filter((hook) => hook.state !== 'fine').length ?? 0;
  const test = useAct(async (hook: Webhook) => ({ hook, ...(await post<WebhookTested>(`/webhooks/${hook.id}/test`)) }), ['webhooks']);
  const pause = useAct((hook: Webhook) => patch(`/webhooks/${hook.id}`, { paused: hook.state !== 'paused' }), ['webhooks']);
  const away = useAct((hook: Webhook) => remove(`/webhooks/${hook.id}`), ['webhooks']);
  const columns: Column<Webhook>[] = [
    { id: 'name', head: t('hooks.col.name'), cell: (row) => <>{row.name}<span className="small quiet" style={{ display: 'block', overflowWrap: 'anywhere' }}>{row.url}</span></>, sort: (row) => row.name },
    { id: 'state', head: t('hooks.col.state'), cell: (row) => <State hook={row} />, sort: (row) => row.state },
    { id: 'events', head: t('hooks.col.events'), cell: (row) => <span className="small">{[...row.events, ...row.types].join(', ')}</span> },
    { id: 'counts', head: t('hooks.col.counts'), cell: (row) => <span className="small">{t('hooks.counted', { delivered: count(row.delivered), waiting: count(row.waiting), dead: count(row.dead) })} {row.dropped > 0 && tn('hooks.dropped', row.dropped)}</span>, sort: (row) => row.delivered },
    { id: 'tlp', head: t('know.col.tlp'), cell: (row) => <TlpTag value={row.tlp} />, sort: (row) => row.tlp },
    {
      id: 'acts',
      head: '',
      cell: (row) => (
        <span className="inline">
          <Button small plain disabled={test.isPending} onClick={() => test.mutate(row)} aria-label={t('hooks.test_this', { name: row.name })}>{t('hooks.test')}</Button>
          <Button small plain onClick={() => setRotated(rotated === row.id ? '' : row.id)} aria-expanded={rotated === row.id} aria-label={t('hooks.rotate_this', { name: row.name })}>{t('hooks.rotate')}</Button>
          <Button small plain disabled={pause.isPending} onClick={() => pause.mutate(row)} aria-label={t(row.state === 'paused' ? 'hooks.resume_this' : 'hooks.pause_this', { name: row.name })}>{t(row.state === 'paused' ? 'hooks.resume' : 'hooks.pause')}</Button>
          <Button small plain disabled={away.isPending} onClick={() => away.mutate(row)} aria-label={t('hooks.remove_this', { name: row.name })}>{t('hooks.remove')}</Button>
        </span>
      ),
    },
  ];
  const one = hooks.data?.find((hook) => hook.id === rotated);
  const failed = [test, pause, away].find((act) => act.isError);
  return (
    <PageView title={hooks.data ? (ill > 0 ? tn('hooks.ill', ill, { all: hooks.data.length }) : tn('hooks.title', hooks.data.length)) : t('nav.webhooks')} lead={t('hooks.lead')}>
      <div className="stack wide">
        {failed && <Failed error={failed.error} />}
        {test.data && <p role="status">{test.data.taken ? t('hooks.taken', { name: test.data.hook.name }) : t('hooks.not_taken', { name: test.data.hook.name, error: test.data.error ?? '' })}</p>}
        <section className="panel">
          <Loaded query={hooks}>
            {(list) => (list.length === 0 ? <Guide name="webhooks" title={t('hooks.empty')} why={t('hooks.empty_why')} /> : <DataTable rows={list} columns={columns} caption={t('nav.webhooks')} rowKey={(row) => row.id} />)}
          </Loaded>
        </section>
        {one && <Rotate key={one.id} hook={one} />}
        <Add />
      </div>
    </PageView>
  );
}

const OVERLAPS = [0, 3_600, 86_400, 604_800];

/** Another secret; for a while the old one signs too, so that the receiver can follow. */
function Rotate({ hook }: { hook: Webhook }) {
  const [overlap, setOverlap] = useState('86400');
  const act = useAct(() => post<WebhookMade>(`/webhooks/${hook.id}/rotate`, { overlap_seconds: Number(overlap) }), ['webhooks']);
  return (
    <Panel title={t('hooks.rotate_this', { name: hook.name })}>
      <ActForm act={act} done={(made) => <p role="status">{t('hooks.secret')} <code className="wrap">{made.secret}</code></p>}>
        <NativeSelect label={t('hooks.overlap')} data={OVERLAPS.map((seconds) => ({ value: `${seconds}`, label: word('hooks.overlap', `${seconds}`) }))} value={overlap} onChange={(event) => setOverlap(event.currentTarget.value)} />
        <Button type="submit" plain busy={act.isPending}>{t('hooks.rotate_go')}</Button>
      </ActForm>
    </Panel>
  );
}

function Add() {
  const [url, setUrl] = useState('');
  const [name, setName] = useState('');
  const [tlp, setTlp] = useState('green');
  const [events, setEvents] = useState<string[]>(['object.new', 'object.updated', 'object.revoked', 'sighting']);
  const add = useAct(
    () => post<WebhookMade>('/webhooks', { url, name: name || null, events, filter: { tlp } }),
    ['webhooks'],
    () => {
      setUrl('');
      setName('');
    },
  );
  return (
    <Panel title={t('hooks.add_title')}>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          add.mutate();
        }}
      >
        <div className="query-bar">
          <TextInput label={t('hooks.url')} required type="url" maxLength={2000} value={url} placeholder="https://soar.example.org/in" onChange={(event) => setUrl(event.currentTarget.value)} />
          <TextInput label={t('hooks.name')} maxLength={120} value={name} onChange={(event) => setName(event.currentTarget.value)} />
          <NativeSelect label={t('hooks.tlp')} value={tlp} onChange={(event) => setTlp(event.currentTarget.value)} data={LABELS.map((value) => ({ value, label: `TLP:${value.toUpperCase()}` }))} />
        </div>
        <fieldset className="plain-set">
          <legend className="small">{t('hooks.events')}</legend>
          <span className="inline">{EVENTS.map((event) => <Check key={event} checked={events.includes(event)} onChange={(on) => setEvents(EVENTS.filter((one) => (one === event ? on : events.includes(one))))}><code>{event}</code></Check>)}</span>
        </fieldset>
        <span><Button type="submit" disabled={url === '' || events.length === 0} busy={add.isPending}>{t('hooks.add')}</Button></span>
      </form>
      {add.isError && <Failed error={add.error} />}
      {add.data && <p role="status">{t('hooks.secret')} <code className="wrap">{add.data.secret}</code></p>}
    </Panel>
  );
}
