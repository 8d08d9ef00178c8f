import { useState } from 'react';
import { TextInput } from '@mantine/core';
import { query, remove, upload } from '@/api/client';
import type { Layer } from '@/api/situation-reads';
import { useMay } from '@/app/session';
import { useAct } from '@/parts/act';
import { Button } from '@/parts/button';
import { bytes } from '@/parts/format';
import { Empty, Failed, Panel } from '@/parts/page';
import { t, word } from '@/strings/pages';

/** Maps and plans of the house: what is there, and one more. */
export function Layers({ layers }: { layers: Layer[] }) {
  const may = useMay('assets.write');
  const gone = useAct((id: string) => remove(`/map/layers/${id}`), ['sites']);
  return (
    <Panel title={t('layers.title')}>
      <div className="stack">
        {layers.length === 0 ? <Empty title={t('layers.empty')}>{t('layers.empty_why')}</Empty> : (
          <ul className="stack tight">
            {layers.map((layer) => (
              <li key={layer.id} className="row apart">
                <span><b>{layer.name}</b> <span className="small quiet">{word('layer.form', layer.form)} · {bytes(layer.bytes)}{layer.width !== null && ` · ${layer.width} × ${layer.height}`}</span></span>
                {may && <Button plain small busy={gone.isPending && gone.variables === layer.id} onClick={() => gone.mutate(layer.id)} aria-label={t('layers.remove_named', { name: layer.name })}>{t('layers.remove')}</Button>}
              </li>
            ))}
          </ul>
        )}
        {gone.isError && <Failed error={gone.error} />}
        {may && <Add />}
      </div>
    </Panel>
  );
}

function Add() {
  const [file, setFile] = useState<File | null>(null);
  const [name, setName] = useState('');
  const [share, setShare] = useState(0);
  const act = useAct(
    () => (file ? upload<Layer>(`/map/layers${query({ name: name.trim() || file.name.replace(/\.[^.]+$/, '') })}`, file, setShare) : Promise.reject(new Error(t('layers.choose')))),
    ['sites'],
    () => {
      setFile(null);
      setName('');
      setShare(0);
    },
  );
  return (
    <form
      className="stack"
      onSubmit={(event) => {
        event.preventDefault();
        act.mutate();
      }}
    >
      <label className="stack tight small">
        <span className="strong">{t('layers.file')}</span>
        <input type="file" accept=".geojson,.json,.pmtiles,.png,.jpg,.jpeg" onChange={(event) => setFile(event.currentTarget.files?.[0] ?? null)} />
        <span className="quiet">{t('layers.file_why')}</span>
      </label>
      <TextInput label={t('layers.name')} maxLength={80} value={name} placeholder={file?.name ?? ''} onChange={(event) => setName(event.currentTarget.value)} />
      <div className="row"><Button type="submit" plain busy={act.isPending} disabled={!file}>{t('layers.add')}</Button>{act.isPending && <span className="small quiet num" role="status">{Math.round(share * 100)} %</span>}</div>
      {act.isError && <Failed error={act.error} />}
    </form>
  );
}
