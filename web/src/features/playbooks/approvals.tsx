// Everything that waits for a person, over all runs; answered in place.
import { useQueries, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { reads } from '@/api/queries';
import type { PlaybookDetail, Proposal, RunDetail, Step } from '@/api/types';
import { useMay } from '@/app/session';
import { count } from '@/parts/format';
import { Banner, Empty, Failed, Ghost, PageView, Panel } from '@/parts/page';
import { sentence } from '@/parts/sentence';
import { PlainTag } from '@/parts/tags';
import { useNow, Wall } from '@/parts/time';
import { t, tn } from '@/strings/pages';
import { Asked } from './asked';
import { Decided } from './decided';
import { Delegations } from './delegations';
import { instructionOf } from './model/instruction';
import { inOrder, ProposalPanel } from './proposals';
import './run.css';
import { Answer } from './step';

/** Waiting runs that are read at once: each is a request of its own. */
const MOST = 40;
const crumb = { to: '/playbooks', text: t('nav.playbooks') };

interface Waits { run: RunDetail; step: Step; playbook: PlaybookDetail | undefined }

export function ApprovalsPage() {
  const runs = useQuery(reads.waitingRuns());
  const proposals = useQuery(reads.openProposals());
  const [answered, setAnswered] = useState<Proposal | null>(null);
  const may = useMay('playbooks.run');
  const me = useQuery(reads.me());
  const waiting = runs.data ?? [];
  const open = inOrder(proposals.data?.items ?? []);
  const shown = waiting.slice(0, MOST);
  const details = useQueries({ queries: shown.map((run) => reads.run(run.id)) });
  const ids = [...new Set(shown.map((run) => run.playbook))];
  const playbooks = useQueries({ queries: ids.map((id) => reads.playbook(id)) });
  const playbookOf = (id: string) => playbooks[ids.indexOf(id)]?.data;
  const asked = details
    .flatMap(({ data }): Waits[] => (data?.steps ?? []).flatMap((step) => (data && step.state === 'waiting' && step.type !== 'start' ? [{ run: data, step, playbook: playbookOf(data.playbook) }] : [])))
    .sort((a, b) => (a.step.started_at ?? '').localeCompare(b.step.started_at ?? ''));
  const loading = !runs.data || (proposals.isPending && !proposals.isError) || details.some((one) => one.isPending);
  const failed = details.filter((one) => one.isError).length;
  return (
    <PageView title={loading ? t('nav.approvals') : titleOf(asked.length, open)} crumb={crumb} lead={t('approve.lead')}>
      <div className="stack wide">
        {runs.isError && !runs.data && <Failed error={runs.error} retry={runs.refetch} />}
        {proposals.isError && !proposals.data && <Failed error={proposals.error} retry={proposals.refetch} />}
        {answered && <Answered one={answered} />}
        {failed > 0 && <Banner tone="medium">{t('approve.partly', { n: failed })}</Banner>}
        {me.data && !may && asked.length + open.length > 0 && <Banner tone="medium">{t('approve.may_not')}</Banner>}
        {waiting.length > MOST && <Banner tone="medium">{t('approve.more', { n: count(MOST) })}</Banner>}
        {loading && !runs.isError && <section className="panel"><Ghost rows={6} /></section>}
        {!loading && asked.length + open.length === 0 && failed === 0 && !proposals.isError && <section className="panel"><Empty title={t('approve.empty')}>{t('approve.empty_why')}</Empty></section>}
        {open.map((one) => <ProposalPanel key={one.id} one={one} onAnswered={setAnswered} />)}
        {asked.map((one) => <Question key={`${one.run.id} ${one.step.step}`} {...one} />)}
        <Delegations />
        <Decided />
      </div>
    </PageView>
  );
}

/** Steps and proposals that ask; what is only recommended counts where nothing asks. */
function titleOf(steps: number, open: Proposal[]): string {
  const asking = open.filter((one) => one.level === 'ask').length;
  if (steps > 0 && asking > 0) return t('approve.both', { steps: tn('approve.steps', steps), proposals: tn('approve.proposals', asking) });
  if (steps > 0) return tn('approve.title', steps);
  if (asking > 0) return tn('approve.asking', asking);
  return open.length > 0 ? tn('approve.recommended', open.length) : t('approve.title_none');
}

/** What came of an answer: its panel is gone by then. */
function Answered({ one }: { one: Proposal }) {
  const started = one.run !== null;
  return (
    <Banner tone={started ? 'good' : 'accent'} icon={started ? 'check' : 'info'}>
      <p><span role="status">{t(started ? 'proposal.started' : one.state === 'declined' ? 'proposal.declined' : 'proposal.heard', { name: one.name })}</span>
      {one.run && <> <Link to="/runs/$id" params={{ id: one.run }}>{t('approve.open_run')}</Link></>}</p>
    </Banner>
  );
}

function Question({ run, step, playbook }: Waits) {
  const now = useNow();
  const until = step.deadline_at;
  const overdue = until !== null && Date.parse(until) < now;
  const instruction = instructionOf(step, playbook?.playbook);
  return (
    <Panel title={`${step.name} · ${run.name}`} end={<Link to="/runs/$id" params={{ id: run.id }} className="small">{t('approve.open_run')}</Link>}>
      <div className="cols even question">
        <div className="stack">
          <div>
            <h3>{t('approve.instruction')}</h3>
            {instruction ? <p className="instruction">{instruction}</p> : <p className="soft">{t('approve.none_said')}</p>}
          </div>
          <dl className="facts">
            <dt>{t('approve.since')}</dt><dd>{step.started_at ? <Wall at={step.started_at} relative /> : '–'}</dd>
            <dt>{t('approve.until')}</dt><dd className="row">{until ? <Wall at={until} relative /> : t('approve.no_limit')}{overdue && <PlainTag tone="critical" shape="triangle">{t('approve.overdue')}</PlainTag>}</dd>
            <dt>{t('run.playbook')}</dt><dd><Link to="/playbooks/$id" params={{ id: run.playbook }}>{run.name}</Link></dd>
            {run.incident && <><dt>{t('approve.incident')}</dt><dd><Link to="/incidents/$id" params={{ id: run.incident }}>{t('run.open_incident')}</Link></dd></>}
            <dt>{t('approve.trigger')}</dt><dd>{sentence(run.trigger)}</dd>
          </dl>
        </div>
        <div className="stack">
          <Answer run={run} step={step} />
          <Asked about={`${run.id}/${step.position}`} path={`/runs/${encodeURIComponent(run.id)}/steps/${step.position}/ask`} />
        </div>
      </div>
    </Panel>
  );
}
