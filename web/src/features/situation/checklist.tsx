// The first steps on a new node: ticked off by what is really there, hidden by whoever does not want them.
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { lazy, Suspense, useState } from 'react';
import { get } from '@/api/client';
import { reads } from '@/api/queries';
import type { SituationNow } from '@/api/situation-reads';
import type { Page } from '@/api/types';
import { useMay } from '@/app/session';
import { Button } from '@/parts/button';
import { Mark } from '@/parts/icon';
import { Panel } from '@/parts/page';
import { t, word } from '@/strings/pages';

const Tour = lazy(() => import('./tour'));

const KEY = 'sereno-steps-hidden';

function hiddenBefore(): boolean {
  try {
    return localStorage.getItem(KEY) === 'yes';
  } catch {
    return false;
  }
}

interface Person {
  roles?: string[];
}

/** How many people have an account; programs that read over TAXII are none. */
const personsOf = (answer: Person[] | Page<Person>): number =>
  (Array.isArray(answer) ? answer : answer.items).filter((one) => one.roles?.some((role) => role !== 'taxii') !== false).length;

interface Step {
  name: string;
  to: string;
  done: boolean;
}

export function Checklist({ now, cert = false }: { now: SituationNow; cert?: boolean }) {
  const admin = useMay('node.write');
  const [hidden, setHidden] = useState(hiddenBefore);
  const [tour, setTour] = useState(false);
  const wanted = admin && !hidden;
  const people = useQuery({ queryKey: ['users', 'count'], queryFn: async () => personsOf(await get<Person[] | Page<Person>>('/users')), enabled: wanted, retry: false });
  const me = useQuery({ ...reads.me(), enabled: wanted });
  const peers = useQuery({ ...reads.peers(), enabled: wanted && cert });
  if (!wanted) return null;
  const known = Object.values(now.standings).reduce((sum, n) => sum + (n ?? 0), 0);
  const steps: Step[] = cert ? [{ name: 'peer', to: '/access', done: (peers.data?.length ?? 0) > 0 }] : [
    { name: 'probe', to: '/gateways', done: now.gateways > 0 },
    { name: 'site', to: '/sites?site=new', done: now.sites.length > 0 },
    { name: 'device', to: '/devices', done: known > 0 && now.sites.some((site) => site.devices > 0) },
  ];
  if (people.data !== undefined) steps.push({ name: 'colleague', to: '/access', done: people.data > 1 });
  // Only where the node says whether it is on.
  const second = (me.data as { second_factor?: boolean } | undefined)?.second_factor;
  if (second !== undefined) steps.push({ name: 'second', to: '/account', done: second });
  const done = steps.filter((step) => step.done).length;
  if (done === steps.length) return null;
  const hide = () => {
    setHidden(true);
    try {
      localStorage.setItem(KEY, 'yes');
    } catch {
      // Without storage it comes back with the next page.
    }
  };
  const next = steps.find((step) => !step.done);
  return (
    <Panel title={t('steps.title', { done, all: steps.length })} end={<><Link to="/glossary" className="small">{t('nav.glossary')}</Link><Button plain small onClick={() => setTour(true)}>{t('tour.begin')}</Button><Button plain small onClick={hide}>{t('steps.hide')}</Button></>}>
      <ol className="steps">
        {steps.map((step) => (
          <li key={step.name} className={step.done ? 'done' : step === next ? 'next' : ''}>
            <Mark shape={step.done ? 'check' : 'ring'} />
            <div>
              {step.done ? <span>{word('steps', step.name)}</span> : <Link to={step.to.split('?')[0] ?? '/'} search={Object.fromEntries(new URLSearchParams(step.to.split('?')[1] ?? ''))}>{word('steps', step.name)}</Link>}
              <span className="hidden-text"> {t(step.done ? 'steps.done' : 'steps.open')}</span>
              {!step.done && <div className="small quiet">{word('steps.why', step.name)}</div>}
            </div>
          </li>
        ))}
      </ol>
      {tour && <Suspense><Tour onEnd={() => setTour(false)} /></Suspense>}
    </Panel>
  );
}
