import { NativeSelect, NumberInput, TextInput } from '@mantine/core';
import { useState } from 'react';
import { post, putJson } from '@/api/client';
import type { Layer, Site } from '@/api/situation-reads';
import { useAct } from '@/parts/act';
import { Button } from '@/parts/button';
import { PlanView } from '@/parts/map/plan-view';
import { Failed } from '@/parts/page';
import { t } from '@/strings/pages';

/** Suggestions; any other word will do. */
const KINDS = ['tram stop', 'substation', 'plant', 'pumping station', 'office', 'depot', 'control room', 'street cabinet', 'harbour', 'hospital'];

const number = (value: string | number): number | null => (value === '' || Number.isNaN(Number(value)) ? null : Number(value));

export function SiteForm({ site, plans, done }: { site: Site | null; plans: Layer[]; done: (site: Site) => void }) {
  const [form, setForm] = useState({
    name: site?.name ?? '', kind: site?.kind ?? '', place: site?.place ?? '',
    latitude: site?.latitude ?? ('' as string | number), longitude: site?.longitude ?? ('' as string | number),
    layer: site?.plan?.layer ?? '', x: site?.plan?.x ?? 0.5, y: site?.plan?.y ?? 0.5,
  });
  const set = (change: Partial<typeof form>) => setForm((old) => ({ ...old, ...change }));
  const body = {
    name: form.name.trim(), kind: form.kind.trim(), place: form.place.trim() || null,
    latitude: number(form.latitude), longitude: number(form.longitude),
    plan: form.layer ? { layer: form.layer, x: form.x, y: form.y } : null,
  };
  const act = useAct(() => (site ? putJson<Site>(`/sites/${site.id}`, body) : post<Site>('/sites', body)), ['sites', 'situation', 'devices'], done);
  const plan = plans.find((one) => one.id === form.layer);
  return (
    <form
      className="stack"
      onSubmit={(event) => {
        event.preventDefault();
        act.mutate();
      }}
    >
      <TextInput label={t('sites.form.name')} required maxLength={80} value={form.name} onChange={(event) => set({ name: event.currentTarget.value })} />
      <TextInput label={t('sites.form.kind')} description={t('sites.form.kind_why')} required maxLength={40} list="site-kinds" value={form.kind} onChange={(event) => set({ kind: event.currentTarget.value })} />
      <datalist id="site-kinds">{KINDS.map((kind) => <option key={kind} value={kind} />)}</datalist>
      <TextInput label={t('sites.form.place')} maxLength={160} value={form.place} onChange={(event) => set({ place: event.currentTarget.value })} />
      <div className="row nowrap" style={{ alignItems: 'flex-end' }}>
        <NumberInput label={t('sites.form.latitude')} min={-90} max={90} decimalScale={6} hideControls value={form.latitude} onChange={(value) => set({ latitude: value })} />
        <NumberInput label={t('sites.form.longitude')} min={-180} max={180} decimalScale={6} hideControls value={form.longitude} onChange={(value) => set({ longitude: value })} />
      </div>
      {plans.length > 0 && <NativeSelect label={t('sites.form.plan')} value={form.layer} onChange={(event) => set({ layer: event.currentTarget.value })} data={[{ value: '', label: t('sites.form.no_plan') }, ...plans.map((one) => ({ value: one.id, label: one.name }))]} />}
      {plan && (
        <>
          <p className="small soft">{t('sites.form.point')}</p>
          <PlanView
            plan={plan}
            sites={[{ id: 'here', name: form.name || t('sites.form.here'), kind: form.kind, place: null, latitude: null, longitude: null, plan: plan.id, plan_x: form.x, plan_y: form.y, standing: 'empty', devices: 0, by_standing: {} }]}
            onSite={() => undefined}
            onSpot={(x, y) => set({ x: Math.round(x * 1000) / 1000, y: Math.round(y * 1000) / 1000 })}
          />
          <div className="row nowrap">
            <NumberInput label={t('sites.form.x')} min={0} max={1} step={0.01} decimalScale={3} value={form.x} onChange={(value) => set({ x: number(value) ?? 0.5 })} />
            <NumberInput label={t('sites.form.y')} min={0} max={1} step={0.01} decimalScale={3} value={form.y} onChange={(value) => set({ y: number(value) ?? 0.5 })} />
          </div>
        </>
      )}
      {act.isError && <Failed error={act.error} />}
      <div className="row"><Button type="submit" busy={act.isPending}>{t(site ? 'sites.form.save' : 'sites.form.make')}</Button></div>
    </form>
  );
}
