// Which playbook first, and why; started from here by hand.
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { post } from '@/api/client';
import { reads } from '@/api/queries';
import type { ResponseCandidate, Run } from '@/api/types';
import { useMay } from '@/app/session';
import { useAct } from '@/parts/act';
import { Button } from '@/parts/button';
import { Empty, Failed, Ghost, Loaded, Panel } from '@/parts/page';
import { sentence } from '@/parts/sentence';
import { Sure } from '@/parts/sure';
import { PlainTag, type Tone } from '@/parts/tags';
import type { Shape } from '@/parts/icon';
import { t, tn, word } from '@/strings/pages';
import '@/features/automation/automation.css';

const FIRST = 3;
const LOOK: Record<NonNullable<ResponseCandidate['level']>, readonly [Tone, Shape]> = { act: ['accent', 'half'], ask: ['medium', 'dots'], recommend: ['low', 'ring'] };

export function Responses({ incident }: { incident: string }) {
  const read = useQuery(reads.responses(incident));
  const proposed = useQuery(reads.openProposals()).data?.items.filter((one) => one.incident === incident) ?? [];
  const [all, setAll] = useState(false);
  return (
    <Panel title={t('response.title')} flush>
      {proposed.length > 0 && <p className="response-proposed">{t('response.proposed')} <Link to="/approvals">{proposed.map((one) => one.name).join(', ')}</Link></p>}
      <Loaded query={read} ghost={<Ghost rows={2} />}>
        {(list) =>
          list.length === 0 ? <Empty title={t('response.empty')}>{t('response.empty_why')}</Empty> : (
            <>
              <ol className="response-list">
                {(all ? list : list.slice(0, FIRST)).map((one, at) => <Candidate key={one.playbook} one={one} rank={at + 1} incident={incident} />)}
              </ol>
              {list.length > FIRST && !all && <div className="response"><span /><div><Button small plain onClick={() => setAll(true)}>{tn('response.more', list.length - FIRST)}</Button></div></div>}
            </>
          )
        }
      </Loaded>
    </Panel>
  );
}

/** "+0.28", "−0.25": what it would bring, less what it costs. */
export const valueText = (value: number): string => `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(2)}`;

function Candidate({ one, rank, incident }: { one: ResponseCandidate; rank: number; incident: string }) {
  const may = useMay('playbooks.run');
  const navigate = useNavigate();
  const start = useAct((dry_run: boolean) => post<Run>('/runs', { playbook: one.playbook, incident, dry_run }), ['runs', 'incidents'], (run) => void navigate({ to: '/runs/$id', params: { id: run.id } }));
  const runnable = one.missing.length === 0;
  const look = one.level && LOOK[one.level];
  return (
    <li className="response">
      <span className="rank">{rank}</span>
      <div className="stack tight">
        <div className="row">
          <Link to="/playbooks/$id" params={{ id: one.playbook }} className="strong">{one.name}</Link>
          <span className="small soft num" title={t('response.value_title')}>{t('response.value', { value: valueText(one.value) })}</span>
          {!runnable ? <PlainTag tone="low" shape="slash">{t('response.not_here')}</PlainTag> : one.level && look ? <PlainTag tone={look[0]} shape={look[1]}>{word('response.level', one.level)}</PlainTag> : <PlainTag>{t('response.level.none')}</PlainTag>}
        </div>
        <p className="small soft">{one.reasons.map(sentence).join('. ')}.</p>
        {runnable && one.level_reasons.length > 0 && <p className="small soft">{t('response.held_back', { why: one.level_reasons.join('; ') })}</p>}
        {one.missing.map((text) => <p key={text} className="small">{t('response.missing', { what: text })}</p>)}
        {start.isError && <Failed error={start.error} />}
      </div>
      {may && runnable && (
        <div className="acts">
          <Button small plain busy={start.isPending} onClick={() => start.mutate(true)} aria-label={`${t('response.rehearse')}: ${one.name}`}>{t('response.rehearse')}</Button>
          <Sure small text={t('response.start')} sure={t('response.start_sure')} of={one.name} busy={start.isPending} onSure={() => start.mutate(false)} />
        </div>
      )}
    </li>
  );
}
