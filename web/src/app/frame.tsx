import { useQuery } from '@tanstack/react-query';
import { Link, Outlet, useRouter, useRouterState } from '@tanstack/react-router';
import { lazy, Suspense, useEffect, useMemo, useRef, useState } from 'react';
import type { NodeInfo } from '@/api/types';
import { reads } from '@/api/queries';
import { Icon, Lantern, Mark } from '@/parts/icon';
import { count } from '@/parts/format';
import { MenuButton, type MenuEntry } from '@/parts/menu';
import { Banner } from '@/parts/page';
import { t, tn, word } from '@/strings/t';
import { Account } from './account';
import { useEvents } from './events';
import './frame.css';
import '@/parts/menu.css';
import { useKeys } from './keys';
import { Inbox } from './inbox';
import { NewsPill, Notices } from './notices';
import { GROUPS, may, placeOf, placesFor, type Place } from './places';
import { useKeptPreferences, usePreferences } from './preferences';
import { saw } from './recent';
import { soft } from './soft';
import { SearchBox } from './search';
import { useLive } from './store';
import { titleNow, viewsRead } from './views';

const palette = () => import('./palette');
const Palette = soft(palette);
const Help = soft(() => import('./help'));
const Toasts = soft(() => import('./toasts'));
const Forbidden = soft(() => import('./forbidden'));
const WallFrame = lazy(() => import('./wall'));

const PRELOAD_MS = 1_500;

export function Frame({ info }: { info: NodeInfo }) {
  const wall = useRouterState({ select: (state) => (state.location.search as Record<string, unknown>).wall !== undefined });
  useEvents(true);
  useKeptPreferences();
  useHome();
  useSeen();
  return wall ? <Suspense><WallFrame info={info} /></Suspense> : <Desk info={info} />;
}

/** Everything but a display on a wall. */
function Desk({ info }: { info: NodeInfo }) {
  const search = useRef<HTMLInputElement>(null);
  const [open, setOpen] = useState<'commands' | 'help' | null>(null);
  const router = useRouter();
  const actions = useMemo(
    () => ({
      search: () => search.current?.focus(),
      help: () => setOpen('help'),
      commands: () => setOpen('commands'),
      go: (to: string) => router.history.push(to),
    }),
    [router],
  );
  useKeys(actions);
  useEffect(() => {
    // Whoever presses Ctrl K types on at once: nothing of it may be lost to loading.
    const timer = window.setTimeout(() => void palette().catch(() => undefined), PRELOAD_MS);
    return () => window.clearTimeout(timer);
  }, []);
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
      <main id="main"><NewsPill /><Notices /><Halted /><Allowed /></main>
      <Suspense>
        {open === 'commands' && <Palette info={info} onClose={() => setOpen(null)} />}
        {open === 'help' && <Help onClose={() => setOpen(null)} />}
        <Toasts />
      </Suspense>
    </div>
  );
}

/** The page, or who may see it. */
function Allowed() {
  const me = useQuery(reads.me());
  const path = useRouterState({ select: (state) => state.location.pathname });
  const place = placeOf(path);
  if (place && !may(me.data, place.permission)) return <Suspense><Forbidden place={place} /></Suspense>;
  return <Outlet />;
}

/** Whoever has chosen a view as first page comes there; who then goes to the situation stays there. */
function useHome(): void {
  const router = useRouter();
  const home = usePreferences().home;
  const begun = useRef(window.location.pathname === '/' && !window.location.search && !window.location.hash);
  const views = useQuery({ ...viewsRead(), enabled: begun.current && home !== undefined });
  useEffect(() => {
    const view = views.data?.find((one) => one.id === home);
    if (!view || !begun.current) return;
    begun.current = false;
    if (window.location.pathname === '/') router.history.replace(view.path);
  }, [views.data, home, router]);
}

/** Remembers the pages of this tab by their titles, for the commands. */
function useSeen(): void {
  const href = useRouterState({ select: (state) => state.location.href });
  useEffect(() => {
    // A page names itself once it has read what it is about.
    const timer = window.setTimeout(() => saw(href, titleNow()), 600);
    return () => window.clearTimeout(timer);
  }, [href]);
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
  const me = useQuery(reads.me());
  const { rail, more } = placesFor(info.node.kind, me.data);
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
        <More places={more} />
        <div className="foot">{t('frame.version', { version: info.node.version })}</div>
      </nav>
    </div>
  );
}

/** All other places, in groups, and the views that somebody keeps. */
function More({ places }: { places: Place[] }) {
  const router = useRouter();
  const path = useRouterState({ select: (state) => state.location.pathname });
  const [opened, setOpened] = useState(false);
  const views = useQuery({ ...viewsRead(), enabled: opened });
  const entries: MenuEntry[] = GROUPS.flatMap((group) => {
    const own = places.filter((one) => one.group === group);
    const lines = own.map((one) => ({ key: one.to, text: one.text, icon: one.icon, act: () => router.history.push(one.to) }));
    return lines.length === 0 ? [] : [{ key: group, label: word('nav.group', group) }, ...lines];
  });
  const kept = (views.data ?? []).map((one) => ({ key: one.id, text: one.name, icon: 'watch' as const, act: () => router.history.push(one.path) }));
  if (kept.length > 0) entries.push({ key: 'views', label: t('views.title') }, ...kept);
  const here = places.find((one) => path === one.to || path.startsWith(`${one.to}/`));
  return <MenuButton label={t('nav.more')} className={here ? 'rail-more here' : 'rail-more'} trigger={<><Icon name="down" size={17} /><span>{here ? here.text : t('nav.more')}</span></>} entries={entries} width={260} onOpen={() => setOpened(true)} />;
}

function Pulse() {
  const line = useLive((live) => live.line);
  const rate = useLive((live) => live.rate);
  return (
    <span className={`pulse ${line === 'live' ? '' : 'waiting'}`} role="status" title={t(`line.${line}.title`)}>
      <i aria-hidden="true" />
      {t(`line.${line}`)}
      {line === 'live' && rate > 0 && <span className="num quiet" aria-hidden="true">{t('line.rate', { n: count(rate) })}</span>}
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
