// Two times: when something happened on the wire (packet time), and when this node learned of it.
import { useEffect, useState } from 'react';
import { serverNow } from '@/api/clock';
import { region } from '@/strings/locale';
import { t, tn } from '@/strings/t';
import { zone, zoneName } from './zone';
import { Icon } from './icon';

const local = new Intl.DateTimeFormat(region, { ...zone(), day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit', second: '2-digit' });
const utc = new Intl.DateTimeFormat(region, {
  timeZone: 'UTC', day: 'numeric', month: 'short', year: 'numeric', hour: '2-digit', minute: '2-digit', second: '2-digit',
});
const utcClock = new Intl.DateTimeFormat(region, { timeZone: 'UTC', hour: '2-digit', minute: '2-digit', second: '2-digit' });
const utcShort = new Intl.DateTimeFormat(region, { timeZone: 'UTC', day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' });

export const utcText = (at: string | number) => `${utc.format(new Date(at))} UTC`;
export const utcClockText = (at: string | number) => utcClock.format(new Date(at));
export const utcShortText = (at: string | number) => utcShort.format(new Date(at));
export const localText = (at: string | number) => local.format(new Date(at));

/** "now", "12 s ago", "4 min ago", "3 h ago", "2 days ago"; the same with "in" for the future. */
export function ago(at: string | number, now: number): string {
  const seconds = Math.round((now - new Date(at).getTime()) / 1000);
  const size = Math.abs(seconds);
  if (size < 2) return t('time.now');
  const [n, unit] =
    size < 90 ? [size, 's'] : size < 5400 ? [Math.round(size / 60), 'min'] : size < 129_600 ? [Math.round(size / 3600), 'h'] : [0, 'd'];
  const text = unit === 'd' ? tn('time.days', Math.round(size / 86_400)) : `${n} ${unit}`;
  return t(seconds >= 0 ? 'time.ago' : 'time.in', { text });
}

/** "38 s", "12 min", "1 h 20 min". */
export function spanText(milliseconds: number): string {
  if (milliseconds < 1000) return `${Math.max(0, Math.round(milliseconds))} ms`;
  const seconds = Math.round(milliseconds / 1000);
  if (seconds < 90) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 90) return `${minutes} min`;
  const rest = minutes % 60;
  return rest === 0 ? `${Math.floor(minutes / 60)} h` : `${Math.floor(minutes / 60)} h ${rest} min`;
}

const tickers = new Set<(now: number) => void>();
let ticking: number | undefined;

/** Wall time, renewed every second for all who ask. */
export function useNow(): number {
  const [now, setNow] = useState(serverNow);
  useEffect(() => {
    tickers.add(setNow);
    ticking ??= window.setInterval(() => tickers.forEach((tell) => tell(serverNow())), 1000);
    return () => {
      tickers.delete(setNow);
    };
  }, []);
  return now;
}

/** A wall time: local, with UTC on hover. */
export function Wall({ at, relative }: { at: string; relative?: boolean }) {
  const now = useNow();
  const text = relative ? ago(at, now) : localText(at);
  return (
    <time dateTime={at} title={`${localText(at)} ${zoneName() ?? t('time.local')}\n${utcText(at)}`} className="num">
      {text}
    </time>
  );
}

/** A packet time: always UTC, always with the mark that says so. */
export function Packet({ at, short }: { at: string; short?: boolean }) {
  return (
    <time dateTime={at} title={`${t('time.packet')}: ${utcText(at)}`} className="num packet-time">
      <Icon name="past" size={12} />
      <span className="hidden-text">{t('time.packet')} </span>
      {short ? utcClockText(at) : utcText(at)}
    </time>
  );
}
