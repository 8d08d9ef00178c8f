// The model as text: read, corrected, checked by the node, put in use.
import { Textarea, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useRef, useState } from 'react';
import { ApiError, postText, putText, query, type Versioned } from '@/api/client';
import { reads } from '@/api/queries';
import type { MachineText } from '@/api/types';
import { useMay } from '@/app/session';
import { useAct } from '@/parts/act';
import { Button } from '@/parts/button';
import { count } from '@/parts/format';
import { Empty, Failed, Ghost, Panel } from '@/parts/page';
import { t } from '@/strings/pages';
import { lineOf, startOfLine } from './lines';

const ROOTS = ['detection', 'ledger'];
const MAX_REASON = 500;

export function Editor({ edge, version }: { edge: string; version: number }) {
  const read = useQuery({ ...reads.machineText(edge), retry: false });
  if (read.isPending) return <Panel title={t('commands.text')}><Ghost rows={8} /></Panel>;
  const missing = read.error instanceof ApiError && read.error.problem.status === 404;
  if (read.isError && !missing) return <Panel title={t('commands.text')}><Failed error={read.error} retry={read.refetch} /></Panel>;
  const base: Versioned = read.data ?? { text: '', etag: '"0"' };
  return (
    <Panel title={t('commands.text')}>
      {missing && <Empty title={t('commands.none_yet')}>{t('commands.none_yet_why')}</Empty>}
      {!missing && <Text key={`${base.etag}${version}`} edge={edge} base={base} />}
    </Panel>
  );
}

function Text({ edge, base }: { edge: string; base: Versioned }) {
  const may = useMay('detection.write');
  const area = useRef<HTMLTextAreaElement>(null);
  const [text, setText] = useState(base.text);
  const [reason, setReason] = useState('');
  const path = `/detection/commands/${encodeURIComponent(edge)}`;
  const check = useAct(() => postText<MachineText>(`${path}/check`, text), []);
  const apply = useAct(() => putText<MachineText & { version: number }>(`${path}${query({ reason: reason.trim() })}`, { text, etag: base.etag }), ROOTS);
  const changed = text !== base.text;
  const failed = apply.error ?? check.error;
  const line = lineOf(failed);
  const edit = (next: string) => {
    setText(next);
    check.reset();
    apply.reset();
  };
  const go = () => {
    if (!line || !area.current) return;
    const [from, to] = startOfLine(text, line);
    area.current.focus();
    area.current.setSelectionRange(from, to);
  };
  return (
    <div className="stack">
      <p className="small soft">{t('commands.text_note')}</p>
      <Textarea ref={area} autosize minRows={10} maxRows={28} readOnly={!may} spellCheck={false} aria-label={t('commands.text')} classNames={{ input: 'mono' }} value={text} onChange={(event) => edit(event.currentTarget.value)} />
      {may && (
        <div className="row">
          <TextInput style={{ flex: '1 1 240px' }} maxLength={MAX_REASON} placeholder={t('versions.reason')} aria-label={t('versions.reason')} value={reason} onChange={(event) => setReason(event.currentTarget.value)} />
          <Button plain busy={check.isPending} onClick={() => check.mutate()}>{t('commands.check')}</Button>
          <Button busy={apply.isPending} disabled={!changed || reason.trim() === ''} onClick={() => apply.mutate()}>{t('commands.apply')}</Button>
          {changed && <Button plain onClick={() => edit(base.text)}>{t('commands.revert')}</Button>}
        </div>
      )}
      {check.data && !failed && <Read text={check.data} />}
      {failed && <div className="stack tight"><Failed error={failed} />{line && <div><Button plain small onClick={go}>{t('commands.line', { n: line })}</Button></div>}</div>}
    </div>
  );
}

function Read({ text }: { text: MachineText }) {
  return (
    <p role="status" className="small soft">
      {t('commands.checked', { pairs: count(text.pairs), functions: count(text.functions) })}{' '}
      {t('commands.diff', { pa: text.pairs_added, pr: text.pairs_removed, fa: text.functions_added, fr: text.functions_removed })}
    </p>
  );
}
