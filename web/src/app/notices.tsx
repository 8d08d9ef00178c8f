// What the reader of any page must know about the page itself: no connection, a wrong clock, a newer console, somebody else.
import { useEffect, useState, useSyncExternalStore } from 'react';
import { clockOffset, onClock, WRONG_MS } from '@/api/clock';
import { session, useSession } from '@/api/session';
import { Button } from '@/parts/button';
import { Banner } from '@/parts/page';
import { spanText, Wall } from '@/parts/time';
import { t, tn } from '@/strings/t';
import { showNews } from './events';
import { useLive } from './store';

/** A line that is cut for less is renewed before anybody needs to know. */
const CUT_MS = 2_500;

/** Since when nothing has been heard, once it matters. */
function useCut(): number | null {
  const since = useLive((live) => live.cutAt);
  const [shown, setShown] = useState(false);
  useEffect(() => {
    setShown(false);
    if (since === null) return;
    const timer = window.setTimeout(() => setShown(true), CUT_MS);
    return () => window.clearTimeout(timer);
  }, [since]);
  return shown ? since : null;
}

/** What waits while the reader's hand is on a list. */
export function NewsPill() {
  const waiting = useLive((live) => live.waiting);
  return (
    <div role="status">
      {waiting > 0 && <button type="button" className="news" data-key="n" onClick={showNews}>{tn('live.new', waiting)} <kbd>n</kbd></button>}
    </div>
  );
}

export function Notices() {
  const cut = useCut();
  const newer = useLive((live) => live.newer);
  const offset = useSyncExternalStore(onClock, clockOffset);
  const { other } = useSession();
  const wrong = Math.abs(offset) >= WRONG_MS;
  if (cut === null && !newer && !wrong && !other) return null;
  return (
    <div className="notices stack tight" role="status">
      {cut !== null && <Banner tone="medium" icon="incident"><b>{t('offline.title')}</b> {t('offline.since')} <Wall at={new Date(cut).toISOString()} />. {t('offline.what')}</Banner>}
      {other && <Banner tone="medium" icon="person">{t('again.other', { name: other })} <Button small plain onClick={session.seen}>{t('page.close')}</Button></Banner>}
      {wrong && <Banner tone="medium" icon="clock">{t(offset > 0 ? 'clock.behind' : 'clock.ahead', { span: spanText(Math.abs(offset)) })}</Banner>}
      {newer && <Banner icon="restart">{t('newer.text')} <Button small plain onClick={() => window.location.reload()}>{t('newer.reload')}</Button></Banner>}
    </div>
  );
}
