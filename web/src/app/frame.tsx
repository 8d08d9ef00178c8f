import { useQuery } from '@tanstack/react-query';
import { Link, Outlet, useNavigate, useRouterState } from '@tanstack/react-router';
import { lazy, Suspense, useMemo, useRef, useState } from 'react';
import type { NodeInfo } from '@/api/types';
import { reads } from '@/api/queries';
import { Icon, Lantern, Mark } from '@/parts/icon';
import { Banner } from '@/parts/page';
import { t, tn, word } from '@/strings/t';
import { Account } from './account';
import { useEvents } from './events';
import './frame.css';
import '@/parts/menu.css';
import { useKeys } from './keys';
import { Inbox } from './inbox';
import { rail } from './places';
import { useLive } from './store';

const Palette = lazy(() => import('./palette'));
const Help = lazy(() => import('./help'));

export function Frame({ info }: { info: NodeInfo }) {
  const search = useRef<HTMLInputElement>(null);
  const [open, setOpen] = useState<'commands' | 'help' | null>(null);
  useEvents(true);
  const actions = useMemo(
    () => ({
      search: () => search.current?.focus(),
      help: () => setOpen('help'),
      commands: () => setOpen('commands'),
    }),
    [],
  );
  useKeys(actions);
  return (
    <div className="frame">
      <a className="skip" href="#main">{t('frame.skip')}</a>
      <Link to="/" className="mark" aria-label={t('frame.home')}><Lantern /><span>Sereno</span></Link>
      <header className="bar">
        <div className="where">
          <b className="clip">{info.node.name}</b>
          <span>{word('node.kind', info.node.kind)}</span>
        </div>
        <SearchBox input={search} />
        <Health />
        <Pulse />
        <Inbox />
        <Account info={info} onHelp={actions.help} onCommands={actions.commands} />
      </header>
      <Rail info={info} />
      <main id="main"><Halted /><Outlet /></main>
      <Suspense>
        {open === 'commands' && <Palette onClose={() => setOpen(null)} />}
        {open === 'help' && <Help onClose={() => setOpen(null)} />}
      </Suspense>
    </div>
  );
}

/** Nothing happens by itself: whoever looks at any page must know. */
function Halted() {
  const stopped = useQuery(reads.automation()).data?.stopped;
  const path = useRouterState({ select: (state) => state.location.pathname });
  if (!stopped || path === '/automation') return null;
  return <div className="halted"><Banner tone="medium">{t('frame.halted', { by: stopped.by, reason: stopped.reason })} <Link to="/automation">{t('nav.automation')}</Link></Banner></div>;
}

function Rail({ info }: { info: NodeInfo }) {
  const incidents = useQuery(reads.incidents('open'));
  const waiting = incidents.data?.items.filter((incident) => incident.acknowledged_by === null).length ?? 0;
  return (
    <div className="rail">
      <nav aria-label={t('frame.rail')}>
        {rail.map((place) => (
          <Link key={place.to} to={place.to} activeOptions={{ exact: place.to === '/', includeSearch: false }}>
            <Icon name={place.icon} size={17} />
            {place.text}
            {place.to === '/incidents' && waiting > 0 && (
              <span className="count" title={tn('frame.waiting', waiting)}>
                {waiting}<span className="hidden-text"> {t('frame.unanswered')}</span>
              </span>
            )}
          </Link>
        ))}
        <div className="foot">{t('frame.version', { version: info.node.version })}</div>
      </nav>
    </div>
  );
}

function SearchBox({ input }: { input: React.RefObject<HTMLInputElement | null> }) {
  const navigate = useNavigate();
  return (
    <form
      role="search"
      onSubmit={(event) => {
        event.preventDefault();
        const value = input.current?.value.trim() ?? '';
        if (value !== '') void navigate({ to: '/intel', search: { value } });
      }}
    >
      <label className="search">
        <Icon name="search" />
        <span className="hidden-text">{t('frame.search')}</span>
        <input ref={input} type="search" placeholder={t('frame.search')} maxLength={256} onKeyDown={(event) => event.key === 'Escape' && event.currentTarget.blur()} />
        <kbd aria-hidden="true">/</kbd>
      </label>
    </form>
  );
}

function Pulse() {
  const line = useLive((live) => live.line);
  return (
    <span className={`pulse ${line === 'live' ? '' : 'waiting'}`} role="status" title={t(`line.${line}.title`)}>
      <i aria-hidden="true" />
      {t(`line.${line}`)}
    </span>
  );
}

function Health() {
  const doctor = useQuery(reads.doctor());
  if (!doctor.data) return null;
  const failed = doctor.data.components.filter((component) => component.state === 'failed').length;
  const degraded = doctor.data.components.filter((component) => component.state === 'degraded').length;
  const [tone, shape, text] =
    failed > 0
      ? (['critical', 'cross', tn('health.failed', failed)] as const)
      : degraded > 0
        ? (['medium', 'triangle', tn('health.degraded', degraded)] as const)
        : (['', 'check', t('health.ok')] as const);
  return (
    <Link to="/health" className={`health wide-only ${tone}`}>
      <Mark shape={shape} />
      {text}
    </Link>
  );
}
