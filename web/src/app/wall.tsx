// A display on a wall: the page alone, large, turning through the saved views; it never shows old things as new.
import { useQuery } from '@tanstack/react-query';
import { Outlet, useRouter, useRouterState } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { serverNow } from '@/api/clock';
import type { NodeInfo } from '@/api/types';
import { Mark } from '@/parts/icon';
import { ago, useNow, utcClockText, localText } from '@/parts/time';
import { t } from '@/strings/t';
import { useLive } from './store';
import { onWall, viewsRead, type SavedView } from './views';
import './wall.css';

const TURN_MS = 30_000;

/** Turns to the next view; without any, the page stays. */
function useTurning(views: SavedView[]): void {
  const router = useRouter();
  const path = useRouterState({ select: (state) => state.location.href });
  useEffect(() => {
    if (views.length < 1) return;
    const timer = window.setTimeout(() => {
      const at = views.findIndex((view) => onWall(view.path) === path);
      const next = views[(at + 1) % views.length];
      if (next) router.history.replace(onWall(next.path));
    }, TURN_MS);
    return () => window.clearTimeout(timer);
  }, [views, path, router]);
}

/** The screen stays on for as long as the page is shown, where the browser can. */
function useAwake(): void {
  useEffect(() => {
    let lock: WakeLockSentinel | undefined;
    const hold = async () => {
      if (document.visibilityState !== 'visible') return;
      lock = await navigator.wakeLock?.request('screen').catch(() => undefined);
    };
    void hold();
    document.addEventListener('visibilitychange', hold);
    return () => {
      document.removeEventListener('visibilitychange', hold);
      void lock?.release();
    };
  }, []);
}

export default function WallFrame({ info }: { info: NodeInfo }) {
  const views = useQuery({ ...viewsRead(), refetchInterval: 60_000 });
  const live = useLive((state) => state.line === 'live');
  const cutAt = useLive((state) => state.cutAt);
  const [begun] = useState(serverNow);
  const now = useNow();
  useTurning(views.data ?? []);
  useAwake();
  return (
    <div className="wall">
      <header className="wall-bar">
        <b>{info.node.name}</b>
        <span className={`wall-state ${live ? '' : 'medium'}`} role="status">
          <Mark shape={live ? 'check' : 'triangle'} />
          {live ? t('line.live') : t('wall.stale', { ago: ago(cutAt ?? begun, now) })}
        </span>
        <span className="wall-clock num"><span>{localText(now).split(/,\s*/).at(-1)} {t('time.local')}</span> <span>{utcClockText(now)} UTC</span></span>
      </header>
      <main id="main" className={live ? '' : 'wall-stale'}><Outlet /></main>
    </div>
  );
}
