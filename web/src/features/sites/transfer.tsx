import { useState } from 'react';
import { upload } from '@/api/client';
import { useMay } from '@/app/session';
import { useAct } from '@/parts/act';
import { Button } from '@/parts/button';
import { Failed, Panel } from '@/parts/page';
import { t } from '@/strings/pages';

/** All sites as a file, and back. */
export function Transfer() {
  const may = useMay('assets.write');
  const [file, setFile] = useState<File | null>(null);
  const act = useAct(() => (file ? upload<{ made: number; changed: number }>('/sites/geojson', file, () => undefined) : Promise.reject(new Error(t('layers.choose')))), ['sites', 'situation', 'devices']);
  return (
    <Panel title={t('transfer.title')}>
      <div className="stack">
        <p className="small soft">{t('transfer.why')}</p>
        <p><a href="/api/v1/sites/geojson" download="sites.geojson">{t('transfer.export')}</a></p>
        {may && (
          <form
            className="stack"
            onSubmit={(event) => {
              event.preventDefault();
              act.mutate();
            }}
          >
            <label className="stack tight small">
              <span className="strong">{t('transfer.file')}</span>
              <input type="file" accept=".geojson,.json" onChange={(event) => setFile(event.currentTarget.files?.[0] ?? null)} />
            </label>
            <div className="row"><Button type="submit" plain busy={act.isPending} disabled={!file}>{t('transfer.import')}</Button></div>
            {act.data && <p role="status" className="small soft">{t('transfer.done', act.data)}</p>}
            {act.isError && <Failed error={act.error} />}
          </form>
        )}
      </div>
    </Panel>
  );
}
