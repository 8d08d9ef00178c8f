import { useState } from 'react';
import { post } from '@/api/client';
import type { Gateway, SourceState } from '@/api/types';
import { useMay } from '@/app/session';
import { useAct } from '@/parts/act';
import { count } from '@/parts/format';
import { Icon } from '@/parts/icon';
import { Failed } from '@/parts/page';
import { Segments } from '@/parts/segments';
import { Packet } from '@/parts/time';
import { t } from '@/strings/t';

const SPEEDS = ['60', '720', '3600'] as const;

/** Where a replayed capture stands, and its controls. */
export function Replay({ gateway, source }: { gateway: Gateway; source: SourceState }) {
  const may = useMay('gateway.replay');
  const act = useAct((body: { control: string; factor?: number }) => post(`/gateways/${encodeURIComponent(gateway.name)}/replay`, body), ['gateways']);
  const [sure, setSure] = useState(false);
  const pause = t(source.paused ? 'replay.resume' : 'replay.pause');
  const speed = String(Math.round(source.speed));
  const options = [...new Set<string>([...SPEEDS, speed])].sort((a, b) => Number(a) - Number(b)).map((one) => [one, `${count(Number(one))}×`] as const);
  return (
    <div className="stack tight">
      <div className="replay">
        {may && (
          <>
            <button type="button" className="icon-button" aria-label={pause} title={pause} disabled={source.finished} onClick={() => act.mutate({ control: source.paused ? 'resume' : 'pause' })}>
              <Icon name={source.paused ? 'play' : 'pause'} size={13} />
            </button>
            <button
              type="button"
              className={sure ? 'icon-button sure' : 'icon-button'}
              aria-label={t(sure ? 'replay.restart_sure' : 'replay.restart')}
              title={t(sure ? 'replay.restart_sure' : 'replay.restart')}
              onBlur={() => setSure(false)}
              onClick={() => (sure ? (setSure(false), act.mutate({ control: 'restart' })) : setSure(true))}
            >
              <Icon name="restart" size={14} />
            </button>
            <Segments label={t('replay.speed')} value={speed} options={options} onChange={(factor) => act.mutate({ control: 'speed', factor: Number(factor) })} />
          </>
        )}
        <span className="where">
          {source.at && <Packet at={source.at} />}{' '}
          {source.paused ? t('replay.paused') : source.finished ? t('replay.finished') : t('replay.running', { speed: count(source.speed) })}
        </span>
      </div>
      {sure && <span className="small quiet" role="status">{t('replay.restart_note')}</span>}
      {act.isError && <Failed error={act.error} />}
    </div>
  );
}
