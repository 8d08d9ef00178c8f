import { TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { reads } from '@/api/queries';
import type { Preview, PreviewRecipient } from '@/api/types';
import { useMay } from '@/app/session';
import { Button } from '@/parts/button';
import { count } from '@/parts/format';
import { Mark } from '@/parts/icon';
import { Empty, Failed, Ghost, PageView, Panel } from '@/parts/page';
import { DataTable, type Column } from '@/parts/table';
import { TlpTag } from '@/parts/tags';
import { t, tn, word } from '@/strings/pages';
import { ShareNow } from './share-now';

const nameOf = (one: PreviewRecipient) => (one.community_name ? t('preview.through', { name: one.name, community: one.community_name }) : one.name);

/** Who would receive what, and why (not), before anything leaves. */
export function PreviewPage() {
  const { q = '', id = '', to = '' } = useSearch({ strict: false }) as { q?: string; id?: string; to?: string };
  const answer = useQuery(reads.sharingPreview(q, id, to));
  const may = useMay('federation.share');
  const it = answer.data;
  const get = it ? it.recipients.filter((one) => one.allowed > 0).length : 0;
  return (
    <PageView title={it ? tn('preview.title', get, { all: count(it.recipients.length), objects: tn('preview.objects', it.objects.length) }) : t('nav.preview')} lead={t('preview.lead')}>
      <div className="stack wide">
        <section className="panel"><div className="body"><Ask q={q} id={id} to={to} /></div></section>
        {answer.isError && <Failed error={answer.error} retry={answer.refetch} />}
        {answer.isLoading && <section className="panel"><Ghost rows={5} /></section>}
        {it && it.missing.length > 0 && <p className="small quiet">{t('preview.missing', { ids: it.missing.join(', ') })}</p>}
        {it && it.objects.length === 0 && <Empty title={t('preview.nothing')}>{t('preview.nothing_why')}</Empty>}
        {it && it.objects.length > 0 && it.recipients.length === 0 && <Empty title={t('preview.nobody')}>{t('preview.nobody_why')}</Empty>}
        {it && it.objects.length > 0 && it.recipients.length > 0 && (
          <>
            <Recipients it={it} />
            <Matrix it={it} />
            {may && <ShareNow it={it} />}
          </>
        )}
        {it?.next && <p className="small quiet">{t('preview.more')}</p>}
      </div>
    </PageView>
  );
}

function Ask({ q, id, to }: { q: string; id: string; to: string }) {
  const [typed, setTyped] = useState(q || id);
  const [who, setWho] = useState(to);
  const navigate = useNavigate();
  useEffect(() => setTyped(q || id), [q, id]);
  useEffect(() => setWho(to), [to]);
  return (
    <form
      className="row"
      style={{ alignItems: 'flex-end' }}
      onSubmit={(event) => {
        event.preventDefault();
        const text = typed.trim();
        const ids = /^[a-z0-9-]+--[0-9a-f-]{36}([\s,]+[a-z0-9-]+--[0-9a-f-]{36})*$/.test(text);
        const search: Record<string, string> = {};
        if (text) search[ids ? 'id' : 'q'] = text;
        if (who.trim()) search['to'] = who.trim();
        void navigate({ to: '/preview', search });
      }}
    >
      <TextInput label={t('preview.what')} description={t('preview.what_help')} required maxLength={4096} style={{ flex: '3 1 320px' }} placeholder="type:indicator tlp<=green" value={typed} onChange={(event) => setTyped(event.currentTarget.value)} styles={{ input: { fontFamily: 'var(--mono)' } }} />
      <TextInput label={t('preview.to')} description={t('preview.to_help')} style={{ flex: '2 1 240px' }} value={who} onChange={(event) => setWho(event.currentTarget.value)} />
      <Button type="submit">{t('preview.go')}</Button>
    </form>
  );
}

function Recipients({ it }: { it: Preview }) {
  const columns: Column<PreviewRecipient>[] = [
    { id: 'name', head: t('preview.col.who'), cell: nameOf, sort: nameOf },
    { id: 'gets', head: t('preview.col.gets'), cell: (row) => count(row.allowed), sort: (row) => row.allowed, right: true },
    { id: 'changed', head: t('preview.col.changed'), cell: (row) => count(row.redacted), sort: (row) => row.redacted, right: true },
    { id: 'stays', head: t('preview.col.stays'), cell: (row) => count(row.withheld), sort: (row) => row.withheld, right: true },
    {
      id: 'why',
      head: t('preview.col.why'),
      cell: (row) => (row.reasons.length === 0 ? '–' : <ul className="bare">{row.reasons.map((one) => <li key={one.reason}>{one.reason} <span className="quiet">({count(one.objects)})</span></li>)}</ul>),
    },
  ];
  return <Panel title={t('preview.recipients')} flush><DataTable rows={it.recipients} columns={columns} caption={t('preview.recipients')} rowKey={(row) => `${row.organisation} ${row.community ?? ''}`} /></Panel>;
}

/** Objects down, recipients across; the chosen cell says why. */
function Matrix({ it }: { it: Preview }) {
  const [chosen, setChosen] = useState<[number, number] | null>(null);
  const recipient = chosen && it.recipients[chosen[1]];
  const why = chosen && recipient?.answers[chosen[0]];
  return (
    <Panel title={t('preview.matrix')} flush>
      <div className="scroll" style={{ maxHeight: 520, overflowY: 'auto' }} tabIndex={0} role="region" aria-label={t('preview.matrix')}>
        <table className="data">
          <caption className="hidden-text">{t('preview.matrix')}</caption>
          <thead>
            <tr>
              <th scope="col">{t('know.col.name')}</th>
              <th scope="col">{t('know.col.type')}</th>
              <th scope="col">{t('know.col.tlp')}</th>
              <th scope="col">{t('preview.col.said')}</th>
              {it.recipients.map((one) => <th scope="col" key={`${one.organisation} ${one.community ?? ''}`}>{nameOf(one)}</th>)}
            </tr>
          </thead>
          <tbody>
            {it.objects.map((object, row) => (
              <tr key={object.id}>
                <td><Link to="/knowledge/$id" params={{ id: object.id }}>{object.name || object.id}</Link></td>
                <td>{word('stix', object.type)}</td>
                <td><TlpTag value={object.tlp} /></td>
                <td><span className="small">{word('preview.said', object.origin)}{object.origin !== 'own' && object.source !== '' && <span className="quiet"> ({object.source})</span>}</span></td>
                {it.recipients.map((one, column) => {
                  const yes = object.goes[column] ?? false;
                  const changed = yes && (one.answers[row]?.redactions.length ?? 0) > 0;
                  const text = t(changed ? 'preview.goes_changed' : yes ? 'preview.goes' : 'preview.stays');
                  return (
                    <td key={`${one.organisation} ${one.community ?? ''}`}>
                      <button type="button" className="button plain-look small-look" aria-pressed={chosen?.[0] === row && chosen[1] === column} style={{ color: yes ? 'var(--good)' : 'var(--text-3)' }} onClick={() => setChosen([row, column])}>
                        <Mark shape={changed ? 'half' : yes ? 'check' : 'bar'} /> <span className="small">{text}</span>
                      </button>
                    </td>
                  );
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {why && recipient && (
        <div style={{ padding: 16 }} role="status">
          <p><b>{it.objects[chosen[0]]?.name || why.object}</b> → <b>{nameOf(recipient)}</b>: {why.reason}</p>
          {why.policies.length > 0 && <p className="small quiet">{t('preview.by', { policies: why.policies.join(', ') })}</p>}
          {why.redactions.length > 0 && <ul>{why.redactions.map((one) => <li key={`${one.rule} ${one.place}`}><code>{one.place}</code> <span className="quiet">({one.rule})</span></li>)}</ul>}
        </div>
      )}
    </Panel>
  );
}
