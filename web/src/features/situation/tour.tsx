// Five stops along the rail, in words; skipped at once with Escape, and never shown unasked.
import { useEffect, useRef, useState } from 'react';
import { Button } from '@/parts/button';
import { t, word } from '@/strings/pages';
import './tour.css';

const STOPS = [['situation', '/'], ['incidents', '/incidents'], ['devices', '/devices'], ['playbooks', '/playbooks'], ['keys', '']] as const;
const KEY = 'sereno-tour';

export default function Tour({ onEnd }: { onEnd: () => void }) {
  const [at, setAt] = useState(0);
  const box = useRef<HTMLDivElement>(null);
  const [name, to] = STOPS[at] ?? STOPS[0];
  const end = () => {
    try {
      localStorage.setItem(KEY, 'seen');
    } catch {
      // Without storage it is offered again.
    }
    onEnd();
  };
  useEffect(() => {
    const door = to ? document.querySelector(`.rail a[href="${to}"]`) : null;
    door?.classList.add('toured');
    box.current?.focus();
    return () => door?.classList.remove('toured');
  }, [to]);
  return (
    <div
      ref={box}
      className="tour"
      role="dialog"
      aria-labelledby="tour-title"
      tabIndex={-1}
      onKeyDown={(event) => {
        if (event.key === 'Escape') end();
        if (event.key === 'ArrowRight' && at < STOPS.length - 1) setAt(at + 1);
        if (event.key === 'ArrowLeft' && at > 0) setAt(at - 1);
      }}
    >
      <h2 id="tour-title">{word('tour.title', name)}</h2>
      <p className="soft" aria-live="polite">{word('tour.text', name)}</p>
      <div className="row apart">
        <span className="small quiet num">{t('tour.at', { n: at + 1, all: STOPS.length })}</span>
        <span className="row">
          <Button plain small onClick={end}>{t('tour.skip')}</Button>
          {at > 0 && <Button plain small onClick={() => setAt(at - 1)}>{t('tour.back')}</Button>}
          {at < STOPS.length - 1 ? <Button small onClick={() => setAt(at + 1)}>{t('tour.next')}</Button> : <Button small onClick={end}>{t('tour.end')}</Button>}
        </span>
      </div>
    </div>
  );
}
