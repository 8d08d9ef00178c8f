// The playbook as a text: taken away as a file, or replaced by one that is chosen, dropped or pasted.
import { Textarea } from '@mantine/core';
import { useMemo, useRef, useState } from 'react';
import { Button } from '@/parts/button';
import { Banner } from '@/parts/page';
import { count } from '@/parts/format';
import { t } from '@/strings/pages';
import { text as textOf, type Doc } from '../model/document';
import { MAX_PLAYBOOK_BYTES, readPlaybook } from '../model/read';
import { writePlaybook } from '../model/write';

export type Brought = (doc: Doc) => void;

/** Reads a file; larger ones than a playbook may be are not even opened. */
export async function bring(file: File): Promise<ReturnType<typeof readPlaybook>> {
  if (file.size > MAX_PLAYBOOK_BYTES) return { doc: null, why: t('edit.too_large', { size: count(file.size), limit: count(MAX_PLAYBOOK_BYTES) }) };
  return readPlaybook(await file.text());
}

export function download(doc: Doc): void {
  const url = URL.createObjectURL(new Blob([writePlaybook(doc)], { type: 'application/json' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = `${textOf(doc.id).replace(/[^\w-]+/g, '-') || 'playbook'}.json`;
  link.click();
  URL.revokeObjectURL(url);
}

export function DocumentView({ doc, wrong, onFile, onText }: { doc: Doc; wrong: string | null; onFile: (file: File) => void; onText: (source: string) => void }) {
  const written = useMemo(() => writePlaybook(doc), [doc]);
  const input = useRef<HTMLInputElement>(null);
  const [pasted, setPasted] = useState('');
  return (
    <div className="stack document-view">
      <div className="row">
        <Button small plain onClick={() => download(doc)}>{t('edit.export')}</Button>
        <Button small plain onClick={() => input.current?.click()}>{t('edit.import')}</Button>
        <input
          ref={input} type="file" accept=".json,application/json" hidden aria-label={t('edit.import')}
          onChange={(event) => {
            const file = event.currentTarget.files?.[0];
            if (file) onFile(file);
            event.currentTarget.value = '';
          }}
        />
        <span className="small quiet">{t('edit.drop')}</span>
      </div>
      {wrong && <Banner tone="critical" icon="incident"><div className="strong">{t('edit.refused')}</div><div className="soft">{wrong}</div></Banner>}
      <Textarea size="xs" autosize minRows={2} maxRows={8} spellCheck={false} label={t('edit.paste')} styles={{ input: { fontFamily: 'var(--mono)', fontSize: 12 } }} value={pasted} onChange={(event) => setPasted(event.currentTarget.value)} />
      <div><Button small plain disabled={pasted.trim() === ''} onClick={() => onText(pasted)}>{t('edit.paste_do')}</Button></div>
      <pre className="code" tabIndex={0} aria-label={t('playbook.json')}>{written}</pre>
    </div>
  );
}
