// A word at the foot of the page about what was just done, with the way back where there is one.
import { useEffect, useSyncExternalStore } from 'react';
import { Button } from '@/parts/button';
import { Icon } from '@/parts/icon';
import { t } from '@/strings/t';
import { forget, onToasts, toasts, undo } from './undo';
import './toasts.css';

const SHOWN_MS = 10_000;

export default function Toasts() {
  const list = useSyncExternalStore(onToasts, toasts);
  return (
    <div className="toasts" role="status" aria-live="polite">
      {list.map((one) => <Toast key={one.id} id={one.id} text={one.text} back={one.back !== undefined} more={one.more} />)}
    </div>
  );
}

function Toast({ id, text, back, more }: { id: number; text: string; back: boolean; more: { text: string; act: () => void } | undefined }) {
  useEffect(() => {
    const timer = window.setTimeout(() => forget(id), SHOWN_MS);
    return () => window.clearTimeout(timer);
  }, [id]);
  return (
    <div className="toast">
      <span className="grow">{text}</span>
      {back && <Button small plain onClick={() => void undo(id)}>{t('undo.do')} <kbd>Ctrl Z</kbd></Button>}
      {more && <Button small plain onClick={() => { forget(id); more.act(); }}>{more.text}</Button>}
      <button type="button" className="icon-button" aria-label={t('page.close')} onClick={() => forget(id)}><Icon name="cross" size={13} /></button>
    </div>
  );
}
