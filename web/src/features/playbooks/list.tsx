import { Textarea } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { post } from '@/api/client';
import { reads } from '@/api/queries';
import type { Playbook, Run } from '@/api/types';
import { useMay } from '@/app/session';
import { useAct } from '@/parts/act';
import { Guide } from '@/parts/empty';
import { Failed, Loaded, PageView, Panel } from '@/parts/page';
import { DataTable, type Column } from '@/parts/table';
import { sentence } from '@/parts/sentence';
import { RunTag } from '@/parts/tags';
import { Wall } from '@/parts/time';
import { t, tn } from '@/strings/pages';
import { Button } from '@/parts/button';

const runColumns: Column<Run>[] = [
  { id: 'name', head: t('runs.col.name'), cell: (row) => row.name, sort: (row) => row.name },
  { id: 'state', head: t('runs.col.state'), cell: (row) => <RunTag value={row.state} />, sort: (row) => row.state },
  { id: 'trigger', head: t('runs.col.trigger'), cell: (row) => sentence(row.trigger) },
  { id: 'started', head: t('runs.col.started'), cell: (row) => <Wall at={row.started_at} relative />, sort: (row) => row.started_at },
  { id: 'ended', head: t('runs.col.ended'), cell: (row) => (row.ended_at ? <Wall at={row.ended_at} relative /> : '–'), sort: (row) => row.ended_at ?? '' },
];

const playbookColumns: Column<Playbook>[] = [
  { id: 'name', head: t('playbooks.col.name'), cell: (row) => row.name, sort: (row) => row.name },
  { id: 'description', head: t('playbooks.col.description'), cell: (row) => row.description },
  { id: 'trigger', head: t('playbooks.col.trigger'), cell: (row) => sentence(row.trigger ?? t('playbooks.by_hand')), sort: (row) => row.trigger ?? '' },
  { id: 'steps', head: t('playbooks.col.steps'), cell: (row) => row.steps, sort: (row) => row.steps, right: true },
];

export function PlaybookList() {
  const playbooks = useQuery(reads.playbooks());
  const runs = useQuery(reads.runs());
  const navigate = useNavigate();
  const waiting = useQuery(reads.waitingRuns()).data?.length ?? 0;
  const active = runs.data?.items.filter((run) => run.state === 'running' || run.state === 'waiting').length ?? 0;
  return (
    <PageView title={playbooks.data ? tn('playbooks.title', playbooks.data.length, { active: active === 0 ? t('playbooks.idle') : tn('playbooks.active', active) }) : t('nav.playbooks')} lead={t('playbooks.lead')}
      actions={
        <>
          {waiting > 0 && <Button plain onClick={() => void navigate({ to: '/approvals' })}>{tn('inbox.approvals', waiting)}</Button>}
          <Button plain onClick={() => void navigate({ to: '/automation' })}>{t('nav.automation')}</Button>
          <Button plain onClick={() => void navigate({ to: '/actuators' })}>{t('nav.actuators')}</Button>
          <Button onClick={() => void navigate({ to: '/playbooks/new' })}>{t('playbooks.new')}</Button>
        </>
      }
    >
      <div className="stack wide">
        <Panel title={t('playbooks.runs')} flush>
          <Loaded query={runs}>
            {({ items }) =>
              items.length === 0 ? <Guide name="runs" title={t('runs.empty')} why={t('runs.empty_why')} /> : (
                <DataTable rows={items} columns={runColumns} caption={t('playbooks.runs')} rowKey={(row) => row.id} door={(row) => ({ to: '/runs/$id', params: { id: row.id } })} />
              )
            }
          </Loaded>
        </Panel>
        <Panel title={t('playbooks.all')} flush>
          <Loaded query={playbooks}>
            {(list) =>
              list.length === 0 ? <Guide name="playbooks" title={t('playbooks.empty')} why={t('playbooks.empty_why')} /> : (
                <DataTable rows={list} columns={playbookColumns} caption={t('playbooks.all')} rowKey={(row) => row.id} door={(row) => ({ to: '/playbooks/$id', params: { id: row.id } })} />
              )
            }
          </Loaded>
        </Panel>
        <AddPlaybook />
      </div>
    </PageView>
  );
}

function AddPlaybook() {
  const may = useMay('playbooks.write');
  const [text, setText] = useState('');
  const [wrong, setWrong] = useState<string | null>(null);
  const act = useAct((body: unknown) => post('/playbooks', body), ['playbooks'], () => setText(''));
  if (!may) return null;
  return (
    <Panel title={t('playbooks.add')}>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          try {
            setWrong(null);
            act.mutate(JSON.parse(text) as unknown as void);
          } catch (error) {
            setWrong(t('playbooks.not_json', { why: error instanceof Error ? error.message : '' }));
          }
        }}
      >
        <Textarea label={t('playbooks.paste')} autosize minRows={3} maxRows={16} value={text} error={wrong} onChange={(event) => setText(event.currentTarget.value)} styles={{ input: { fontFamily: 'var(--mono)', fontSize: 12 } }} />
        <div><Button type="submit" plain busy={act.isPending} disabled={text.trim() === ''}>{t('playbooks.add_do')}</Button></div>
        {act.isError && <Failed error={act.error} />}
        {act.isSuccess && <p role="status">{t('playbooks.added')}</p>}
      </form>
    </Panel>
  );
}
