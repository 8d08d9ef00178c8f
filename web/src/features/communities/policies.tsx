import { Textarea, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { putJson, remove } from '@/api/client';
import { reads } from '@/api/queries';
import type { SharingPolicy } from '@/api/types';
import { useMay } from '@/app/session';
import { useAct } from '@/parts/act';
import { Button } from '@/parts/button';
import { Banner, Empty, Failed, Loaded, PageView, Panel } from '@/parts/page';
import { Sure } from '@/parts/sure';
import { DataTable, type Column } from '@/parts/table';
import { PlainTag } from '@/parts/tags';
import { Wall } from '@/parts/time';
import { t, tn, word } from '@/strings/pages';
import { Redactions } from './redactions';
import { Trials } from './trials';

const ROOTS = ['sharing'];
const START = `@reason("…")
permit (principal, action == Action::"share", resource)
when { resource.tlp_rank <= 1 && principal.kind == "cert" };
`;

/** What may leave this node: each policy in plain words, its text, and the tests that hold it. */
export function PoliciesPage() {
  const policies = useQuery(reads.sharingPolicies());
  const tests = useQuery(reads.sharingTests());
  const may = useMay('sharing.write');
  const broken = tests.data?.filter((run) => !run.result.passed).length ?? 0;
  const own = policies.data?.filter((one) => !one.built_in) ?? [];
  return (
    <PageView
      title={policies.data ? tn('policy.title', policies.data.length, { own: own.length }) : t('nav.policies')}
      lead={<>{t('policy.lead')}{broken > 0 && <b> {tn('policy.broken', broken)}</b>}</>}
    >
      <div className="stack wide">
        <Loaded query={policies}>
          {(all) => (
            <>
              <Panel title={t('policy.own')}>
                <div className="stack">
                  {own.length === 0 && <Empty title={t('policy.none')}>{t('policy.none_why')}</Empty>}
                  {own.map((one) => <Own key={`${one.id} ${one.version}`} one={one} may={may} />)}
                  {may && <NewPolicy taken={all.map((one) => one.id)} />}
                </div>
              </Panel>
              <Panel title={t('policy.built_in')} flush><BuiltIn list={all.filter((one) => one.built_in)} /></Panel>
            </>
          )}
        </Loaded>
        <Trials />
        <Redactions />
      </div>
    </PageView>
  );
}

const Effect = ({ one }: { one: SharingPolicy }) => (
  <PlainTag tone={one.effect === 'forbid' ? 'high' : 'good'} shape={one.effect === 'forbid' ? 'slash' : 'check'}>{word('policy.effect', one.effect)}</PlainTag>
);

function BuiltIn({ list }: { list: SharingPolicy[] }) {
  const columns: Column<SharingPolicy>[] = [
    { id: 'effect', head: t('policy.col.effect'), cell: (row) => <Effect one={row} />, sort: (row) => row.effect },
    { id: 'words', head: t('policy.col.words'), cell: (row) => row.words },
    { id: 'id', head: t('policy.col.id'), cell: (row) => <code>{row.id}</code>, sort: (row) => row.id },
  ];
  return <DataTable rows={list} columns={columns} caption={t('policy.built_in')} rowKey={(row) => row.id} />;
}

/** Saves a text; where it breaks tests the node refuses, and says which: it can still be wanted. */
function useSave(id: string, done?: () => void) {
  return useAct(({ text, force }: { text: string; force: boolean }) => putJson<{ policy: SharingPolicy | null }>(`/sharing/policies/${encodeURIComponent(id)}`, { text, force }), ROOTS, done);
}

function Own({ one, may }: { one: SharingPolicy; may: boolean }) {
  const [text, setText] = useState(one.text);
  const save = useSave(one.id);
  const gone = useAct(() => remove(`/sharing/policies/${encodeURIComponent(one.id)}`), ROOTS);
  return (
    <article className="stack tight">
      <div className="row"><Effect one={one} /><code>{one.id}</code>{one.changed_at && <span className="small quiet">{t('policy.changed', { version: one.version ?? 1, by: one.changed_by ?? '' })} <Wall at={one.changed_at} relative /></span>}</div>
      <p>{one.words}</p>
      <Textarea autosize minRows={3} maxRows={24} readOnly={!may} spellCheck={false} aria-label={t('policy.text_of', { id: one.id })} classNames={{ input: 'mono' }} value={text} onChange={(event) => setText(event.currentTarget.value)} />
      {may && (
        <div className="row">
          <Button plain disabled={text === one.text} busy={save.isPending} onClick={() => save.mutate({ text, force: false })}>{t('policy.save')}</Button>
          {text !== one.text && <Button plain onClick={() => setText(one.text)}>{t('policy.undo')}</Button>}
          <Sure text={t('policy.remove')} of={one.id} sure={t('policy.remove_sure')} busy={gone.isPending} onSure={() => gone.mutate()} />
        </div>
      )}
      <Refused error={save.error} onForce={() => save.mutate({ text, force: true })} />
      {gone.isError && <Failed error={gone.error} />}
    </article>
  );
}

function Refused({ error, onForce }: { error: Error | null; onForce: () => void }) {
  if (!error) return null;
  const broken = 'problem' in error && (error.problem as { status?: number }).status === 409;
  return (
    <div className="stack tight">
      <Failed error={error} />
      {broken && <div><Button small plain onClick={onForce}>{t('policy.force')}</Button></div>}
    </div>
  );
}

function NewPolicy({ taken }: { taken: string[] }) {
  const [id, setId] = useState('');
  const [text, setText] = useState(START);
  const save = useSave(id.trim(), () => {
    setId('');
    setText(START);
  });
  const exists = taken.includes(id.trim());
  return (
    <form
      className="stack tight"
      onSubmit={(event) => {
        event.preventDefault();
        save.mutate({ text, force: false });
      }}
    >
      <h3>{t('policy.new')}</h3>
      <TextInput label={t('policy.col.id')} required maxLength={80} pattern="[A-Za-z0-9._\-]+" w={260} value={id} onChange={(event) => setId(event.currentTarget.value)} error={exists ? t('policy.taken') : undefined} />
      <Textarea label={t('policy.text')} autosize minRows={3} maxRows={24} spellCheck={false} classNames={{ input: 'mono' }} value={text} onChange={(event) => setText(event.currentTarget.value)} />
      <div><Button type="submit" plain disabled={exists} busy={save.isPending}>{t('policy.save')}</Button></div>
      <Refused error={save.error} onForce={() => save.mutate({ text, force: true })} />
      {save.data?.policy && <Banner tone="good" icon="check">{save.data.policy.words}</Banner>}
    </form>
  );
}
