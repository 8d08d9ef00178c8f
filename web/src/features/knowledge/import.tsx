import { FileInput, NativeSelect, TextInput } from '@mantine/core';
import { useState } from 'react';
import { postText, query } from '@/api/client';
import type { ImportReport } from '@/api/types';
import { useAct } from '@/parts/act';
import { Button } from '@/parts/button';
import { count } from '@/parts/format';
import { Failed, Panel } from '@/parts/page';
import { DataTable, type Column } from '@/parts/table';
import { t, word } from '@/strings/pages';

type Problem = ImportReport['problems'][number];

const columns: Column<Problem>[] = [
  { id: 'index', head: t('know.import_index'), cell: (row) => row.index, sort: (row) => row.index, right: true },
  { id: 'id', head: t('know.import_id'), cell: (row) => <code className="wrap">{row.id || '–'}</code>, sort: (row) => row.id },
  { id: 'reason', head: t('know.import_reason'), cell: (row) => row.reason, sort: (row) => row.reason },
];

const LABELS = ['clear', 'green', 'amber', 'amber+strict', 'red'];
const OUTCOMES = ['new', 'updated', 'older', 'same', 'conflicts', 'refused'] as const;

/** Objects that were not stored; the list of them ends at a thousand. */
const left = (report: ImportReport) => report.refused + report.conflicts;

/** A STIX bundle comes in; every object is accounted for. */
export function Import() {
  const [file, setFile] = useState<File | null>(null);
  const [label, setLabel] = useState('');
  const [tlp, setTlp] = useState('amber');
  const act = useAct(async (chosen: File) => postText<ImportReport>(`/intel/import${query({ label, tlp })}`, await chosen.text()), ['knowledge', 'intel-sources']);
  return (
    <Panel title={t('know.import_title')}>
      <form
        className="query-bar"
        onSubmit={(event) => {
          event.preventDefault();
          if (file) act.mutate(file);
        }}
      >
        <FileInput label={t('know.import_file')} accept=".json,application/json" value={file} onChange={setFile} placeholder="bundle.json" />
        <TextInput label={t('know.import_label')} value={label} maxLength={120} onChange={(event) => setLabel(event.currentTarget.value)} />
        <NativeSelect label={t('know.import_tlp')} value={tlp} onChange={(event) => setTlp(event.currentTarget.value)} data={LABELS.map((value) => ({ value, label: `TLP:${value.toUpperCase()}` }))} />
        <Button type="submit" disabled={!file || act.isPending}>{t(act.isPending ? 'know.importing' : 'know.import_go')}</Button>
      </form>
      {act.isError && <Failed error={act.error} />}
      {act.data && (
        <div className="stack" role="status">
          <dl className="facts">
            {OUTCOMES.map((name) => (
              <div key={name} style={{ display: 'contents' }}><dt>{word('know.outcome', name)}</dt><dd>{count(act.data[name])}</dd></div>
            ))}
          </dl>
          {act.data.problems.length < left(act.data) && <p className="small quiet">{t('know.import_cut', { n: count(act.data.problems.length), all: count(left(act.data)) })}</p>}
          {act.data.problems.length > 0 && <DataTable rows={act.data.problems} columns={columns} caption={t('know.import_problems')} rowKey={(row) => `${row.index}`} />}
        </div>
      )}
    </Panel>
  );
}
