import { NativeSelect, TextInput } from '@mantine/core';
import { useState } from 'react';
import { patch, post } from '@/api/client';
import type { Device, Severity } from '@/api/types';
import { useMay } from '@/app/session';
import { useAct } from '@/parts/act';
import { Failed, Panel } from '@/parts/page';
import { t, word } from '@/strings/pages';
import { Button } from '@/parts/button';

const LEVELS: Severity[] = ['low', 'medium', 'high', 'critical'];

/** People know a device by name and place; the wire only knows addresses. */
export function Describe({ device, watched }: { device: Device; watched: boolean }) {
  const may = useMay('assets.write');
  const [form, setForm] = useState({ name: device.name, place: device.place ?? '', criticality: device.criticality });
  const act = useAct(
    () => patch(`/devices/${device.id}`, { name: form.name.trim(), place: form.place.trim() || null, criticality: form.criticality }),
    ['devices', 'detection', 'ledger'],
  );
  if (!may) return null;
  return (
    <Panel title={t('describe.title')}>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          act.mutate();
        }}
      >
        <TextInput label={t('describe.name')} required maxLength={80} value={form.name} onChange={(event) => setForm({ ...form, name: event.currentTarget.value })} />
        <TextInput label={t('describe.place')} maxLength={160} value={form.place} onChange={(event) => setForm({ ...form, place: event.currentTarget.value })} />
        <NativeSelect
          label={t('devices.col.criticality')}
          value={form.criticality}
          onChange={(event) => setForm({ ...form, criticality: event.currentTarget.value as Severity })}
          data={LEVELS.map((level) => ({ value: level, label: word('severity', level) }))}
        />
        <div className="row">
          <Button type="submit" plain busy={act.isPending}>{t('describe.save')}</Button>
          {watched && <Relearn device={device.id} />}
        </div>
        {act.isSuccess && <p role="status" className="small soft">{t('describe.saved')}</p>}
        {act.isError && <Failed error={act.error} />}
      </form>
    </Panel>
  );
}

function Relearn({ device }: { device: string }) {
  const may = useMay('detection.write');
  const [sure, setSure] = useState(false);
  const act = useAct(() => post(`/detection/devices/${device}/relearn`), ['detection'], () => setSure(false));
  if (!may) return null;
  return (
    <>
      <Button plain={!sure} busy={act.isPending} onBlur={() => setSure(false)} onClick={() => (sure ? act.mutate() : setSure(true))}>
        {t(sure ? 'describe.relearn_sure' : 'describe.relearn')}
      </Button>
      {sure && <p role="status" className="small soft">{t('describe.relearn_note')}</p>}
      {act.isError && <Failed error={act.error} />}
    </>
  );
}
