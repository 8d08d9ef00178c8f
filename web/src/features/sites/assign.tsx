import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { post } from '@/api/client';
import { reads } from '@/api/queries';
import type { Site } from '@/api/situation-reads';
import { useAct } from '@/parts/act';
import { Button } from '@/parts/button';
import { Check } from '@/parts/check';
import { Failed, Ghost, Loaded } from '@/parts/page';
import { t, tn } from '@/strings/pages';
import '@/parts/native.css';

const SHOWN = 60;

/** Several devices at once: those without a site first. */
export function Assign({ site }: { site: Site }) {
  const [open, setOpen] = useState(false);
  const [text, setText] = useState('');
  const [chosen, setChosen] = useState<string[]>([]);
  const devices = useQuery({ ...reads.devices(), enabled: open });
  const act = useAct(() => post('/devices/site', { devices: chosen, site: site.id }), ['sites', 'situation', 'devices'], () => setChosen([]));
  if (!open) return <div className="row"><Button plain onClick={() => setOpen(true)}>{t('assign.open')}</Button></div>;
  return (
    <div className="stack">
      <Loaded query={devices} ghost={<Ghost rows={3} />}>
        {(all) => {
          const wanted = text.trim().toLowerCase();
          const offered = all
            .filter((device) => device.site !== site.id && (wanted === '' || `${device.name} ${device.place ?? ''} ${device.mac ?? ''}`.toLowerCase().includes(wanted)))
            .sort((a, b) => Number(a.site !== null) - Number(b.site !== null) || a.name.localeCompare(b.name));
          return (
            <>
              <label className="stack tight small"><span className="strong">{t('assign.filter')}</span><input className="native" type="search" value={text} onChange={(event) => setText(event.currentTarget.value)} /></label>
              {offered.length === 0 ? <p className="small soft">{t('assign.none')}</p> : (
                <ul className="stack tight">
                  {offered.slice(0, SHOWN).map((device) => (
                    <li key={device.id}>
                      <Check checked={chosen.includes(device.id)} onChange={(yes) => setChosen(yes ? [...chosen, device.id] : chosen.filter((id) => id !== device.id))}>
                        {device.name}{device.site_name ? ` · ${t('assign.stands_at', { name: device.site_name })}` : ''}
                      </Check>
                    </li>
                  ))}
                </ul>
              )}
              {offered.length > SHOWN && <p className="small quiet">{t('assign.more', { n: offered.length - SHOWN })}</p>}
            </>
          );
        }}
      </Loaded>
      <div className="row"><Button busy={act.isPending} disabled={chosen.length === 0} onClick={() => act.mutate()}>{tn('assign.do', chosen.length)}</Button></div>
      {act.isError && <Failed error={act.error} />}
    </div>
  );
}
