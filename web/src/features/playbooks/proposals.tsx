// Runs that would start if people said yes: asked for, or only recommended.
import { Textarea } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Fragment, useState } from 'react';
import { post } from '@/api/client';
import { reads } from '@/api/queries';
import type { Proposal } from '@/api/types';
import { useMay } from '@/app/session';
import { useAct } from '@/parts/act';
import { Button } from '@/parts/button';
import { Failed, Panel } from '@/parts/page';
import { sentence } from '@/parts/sentence';
import { PlainTag } from '@/parts/tags';
import { Wall } from '@/parts/time';
import { t, tn, word } from '@/strings/pages';
import { Asked } from './asked';
import { voiceText } from './decided';
import { InPlaceOf } from './place';

const MAX_COMMENT_CHARS = 4000;

/** What asks comes before what is only recommended; within each the one that is over first. */
export function inOrder(list: Proposal[]): Proposal[] {
  const rank = (one: Proposal) => (one.level === 'recommend' ? 1 : 0);
  return [...list].sort((a, b) => rank(a) - rank(b) || a.expires_at.localeCompare(b.expires_at));
}

/** How many more people must say yes. */
export const stillNeeded = (one: Pick<Proposal, 'persons' | 'voices'>): number => Math.max(0, one.persons - new Set(one.voices.map((voice) => voice.person)).size);

export function ProposalPanel({ one, onAnswered }: { one: Proposal; onAnswered: (answered: Proposal) => void }) {
  return (
    <Panel
      title={t('proposal.title', { name: one.name })}
      end={<PlainTag tone={one.level === 'ask' ? 'medium' : 'low'} shape={one.level === 'ask' ? 'dots' : 'ring'}>{word('proposal.level', one.level)}</PlainTag>}
    >
      <div className="cols even question">
        <div className="stack">
          <div>
            <h3>{t('proposal.why')}</h3>
            <ul className="reasons">{one.reasons.map((reason) => <li key={reason}>{sentence(reason)}</li>)}</ul>
          </div>
          <dl className="facts">
            <dt>{t('proposal.trigger')}</dt><dd>{sentence(one.trigger)}</dd>
            {Object.entries(one.given).map(([name, value]) => <Fragment key={name}><dt><code>{name}</code></dt><dd style={{ overflowWrap: 'anywhere' }}>{value}</dd></Fragment>)}
            <dt>{t('approve.since')}</dt><dd><Wall at={one.recorded_at} relative /></dd>
            <dt>{t('proposal.over')}</dt><dd><Wall at={one.expires_at} relative /></dd>
            <dt>{t('run.playbook')}</dt><dd><Link to="/playbooks/$id" params={{ id: one.playbook }}>{one.name}</Link></dd>
            {one.incident && <><dt>{t('approve.incident')}</dt><dd><Link to="/incidents/$id" params={{ id: one.incident }}>{t('run.open_incident')}</Link></dd></>}
            <dt>{t('proposal.persons')}</dt>
            <dd>
              {one.persons > 1 ? tn('proposal.of', one.persons, { said: one.persons - stillNeeded(one) }) : t('proposal.one')}
              {one.voices.map((voice) => (
                <span key={`${voice.person} ${voice.at}`} className="small soft voice">
                  {voiceText(voice)} · <Wall at={voice.at} relative />
                </span>
              ))}
            </dd>
          </dl>
        </div>
        <div className="stack">
          <Decide one={one} onAnswered={onAnswered} />
          <Asked about={one.id} path={`/proposals/${encodeURIComponent(one.id)}/ask`} />
        </div>
      </div>
    </Panel>
  );
}

function Decide({ one, onAnswered }: { one: Proposal; onAnswered: (answered: Proposal) => void }) {
  const may = useMay('playbooks.run');
  const me = useQuery(reads.me());
  const [text, setText] = useState('');
  const [giver, setGiver] = useState('');
  const act = useAct(
    (accept: boolean) => post<Proposal>(`/proposals/${encodeURIComponent(one.id)}/answer`, { accept, comment: text.trim(), ...(giver === '' ? {} : { for: giver }) }),
    ['proposals', 'runs', 'incidents'],
    (answered) => {
      setText('');
      onAnswered(answered);
    },
  );
  if (!may) return null;
  const said = one.voices.some((voice) => voice.person === me.data?.name || voice.for === me.data?.name);
  return (
    <div className="stack tight answer">
      {said && <p role="status">{t('proposal.said')}</p>}
      <Textarea autosize minRows={1} maxLength={MAX_COMMENT_CHARS} label={t('run.answer')} value={text} onChange={(event) => setText(event.currentTarget.value)} />
      <InPlaceOf kind="proposals" playbook={one.playbook} value={giver} onChange={setGiver} />
      <div className="row">
        {!said && <Button small busy={act.isPending} data-key="a" onClick={() => act.mutate(true)}>{t(stillNeeded(one) > 1 ? 'proposal.yes' : 'proposal.start')}</Button>}
        <Button small plain disabled={act.isPending} onClick={() => act.mutate(false)}>{t('run.decline')}</Button>
      </div>
      {act.isError && <Failed error={act.error} />}
    </div>
  );
}
