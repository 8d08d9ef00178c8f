import { NativeSelect, TextInput } from '@mantine/core';
import { useState } from 'react';
import { patch } from '@/api/client';
import { ORGANISATION_KINDS } from '@/api/situation-reads';
import type { NodeInfo } from '@/api/types';
import { useMay } from '@/app/session';
import { useAct } from '@/parts/act';
import { Button } from '@/parts/button';
import { Failed, Panel } from '@/parts/page';
import { t, word } from '@/strings/pages';

/** What the organisation is called and what it is; shapes the first page and the menu. */
export function Organisation({ info }: { info: NodeInfo }) {
  const may = useMay('node.write');
  const [form, setForm] = useState<{ name: string; kind: string }>({ name: info.node.name, kind: info.node.kind });
  // Only what was changed is sent: the configuration may hold the other.
  const change = { ...(form.name.trim() !== info.node.name ? { name: form.name.trim() } : {}), ...(form.kind !== info.node.kind ? { kind: form.kind } : {}) };
  const act = useAct(() => patch('/node', change), ['node']);
  if (!may) return null;
  return (
    <Panel title={t('organisation.title')}>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          act.mutate();
        }}
      >
        <div className="row" style={{ alignItems: 'flex-end' }}>
          <TextInput label={t('first_run.organisation')} required maxLength={100} w={320} value={form.name} onChange={(event) => setForm({ ...form, name: event.currentTarget.value })} />
          <NativeSelect label={t('organisation.kind')} value={form.kind} onChange={(event) => setForm({ ...form, kind: event.currentTarget.value })} data={ORGANISATION_KINDS.map((kind) => ({ value: kind, label: word('organisation', kind) }))} />
          <Button type="submit" plain busy={act.isPending} disabled={Object.keys(change).length === 0}>{t('organisation.save')}</Button>
        </div>
        {act.isError && <Failed error={act.error} />}
      </form>
    </Panel>
  );
}
