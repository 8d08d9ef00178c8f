import { TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { post } from '@/api/client';
import { reads } from '@/api/queries';
import type { LedgerEntry, TreeHead, Verification } from '@/api/types';
import { useAct } from '@/parts/act';
import { count } from '@/parts/format';
import { Banner, Empty, Failed, Ghost, Loaded, PageView, Panel } from '@/parts/page';
import { sentence } from '@/parts/sentence';
import { DataTable, type Column } from '@/parts/table';
import { PlainTag } from '@/parts/tags';
import { Wall } from '@/parts/time';
import { Digest, Value } from '@/parts/value';
import { t, tn, word } from '@/strings/t';
import './ledger.css';
import { checkSignature, type SignatureCheck } from './merkle';
import { Button } from '@/parts/button';

const PAGE = 100;
const MAX_SHOWN = 500;
const SIGNATURE = { valid: ['good', 'check'], invalid: ['critical', 'cross'], unsupported: ['low', 'ring'] } as const;

const columns: Column<LedgerEntry>[] = [
  { id: 'index', head: t('ledger.col.index'), cell: (row) => <span className="num">{row.index}</span>, sort: (row) => row.index },
  {
    id: 'sentence',
    head: t('ledger.col.sentence'),
    cell: (row) => (
      <>
        {row.erased || row.hidden ? <PlainTag shape="bar">{t(row.hidden ? 'ledger.hidden' : 'ledger.erased')}</PlainTag> : <span className="wrap">{sentence(row.sentence)}</span>}
        {!row.hidden && <div className="small quiet">{word('fact', row.kind)} · {row.actor}</div>}
      </>
    ),
    sort: (row) => row.kind,
  },
  { id: 'at', head: t('ledger.col.at'), cell: (row) => <span className="nowrap"><Wall at={row.at} /></span>, sort: (row) => row.at },
  { id: 'leaf', head: t('ledger.col.leaf'), cell: (row) => <span className="nowrap"><Digest value={row.leaf_hash} length={8} /></span> },
];

export function LedgerPage() {
  const { subject } = useSearch({ strict: false }) as { subject?: string };
  const [limit, setLimit] = useState(PAGE);
  const head = useQuery(reads.treeHead());
  const entries = useQuery(reads.entries(subject, limit));
  const verify = useAct(() => post<Verification>('/ledger/verify'), []);
  return (
    <PageView
      title={head.data ? tn('ledger.title', head.data.size) : t('nav.ledger')}
      lead={t('ledger.lead')}
      actions={<Button busy={verify.isPending} onClick={() => verify.mutate()}>{t('ledger.verify')}</Button>}
    >
      <div className="stack wide">
        {verify.isError && <Failed error={verify.error} />}
        {verify.data && <Verdict result={verify.data} />}
        <div className="cols">
          <Panel title={t('ledger.entries')} flush end={subject && <Filter subject={subject} />}>
            <Loaded query={entries}>
              {({ items }) =>
                items.length === 0 ? <Empty title={t('ledger.empty')}>{t('ledger.empty_why')}</Empty> : (
                  <>
                    <DataTable rows={items} columns={columns} caption={t('ledger.entries')} rowKey={(row) => String(row.index)} door={(row) => ({ to: '/ledger/$index', params: { index: String(row.index) } })} />
                    {items.length >= limit && limit < MAX_SHOWN && (
                      <div className="more"><Button plain onClick={() => setLimit(Math.min(MAX_SHOWN, limit + PAGE))}>{t('page.more')}</Button></div>
                    )}
                  </>
                )
              }
            </Loaded>
          </Panel>
          <div className="stack wide">
            <Panel title={t('ledger.head')}>
              <Loaded query={head} ghost={<Ghost rows={4} />}>{(data) => <Head head={data} />}</Loaded>
            </Panel>
            {head.data && head.data.size > 0 && <Panel title={t('ledger.prove')}><Prove size={head.data.size} /></Panel>}
          </div>
        </div>
      </div>
    </PageView>
  );
}

function Verdict({ result }: { result: Verification }) {
  if (result.verified) return <Banner tone="good" icon="check"><b>{t('ledger.sound')}</b> {tn('ledger.sound_text', result.entries)}</Banner>;
  const first = result.first_altered;
  return (
    <Banner tone="critical" icon="incident">
      <b>{t('ledger.altered')}</b> {first ? t('ledger.altered_text', { index: first.index, what: first.what }) : t('ledger.altered_unknown')}
    </Banner>
  );
}

export function Head({ head }: { head: TreeHead }) {
  const [check, setCheck] = useState<SignatureCheck | null>(null);
  useEffect(() => {
    let current = true;
    void checkSignature(head).then((result) => current && setCheck(result));
    return () => {
      current = false;
    };
  }, [head]);
  return (
    <dl className="facts">
      <dt>{t('ledger.col.state')}</dt>
      <dd>
        {check && <PlainTag tone={SIGNATURE[check][0]} shape={SIGNATURE[check][1]}>{t(`ledger.sign.${check}`)}</PlainTag>}
        {check === 'unsupported' && <div className="small quiet">{t('ledger.sign.unsupported_why')}</div>}
      </dd>
      <dt>{t('ledger.size')}</dt><dd className="num">{count(head.size)}</dd>
      <dt>{t('ledger.root')}</dt><dd><Digest value={head.root} /></dd>
      <dt>{t('ledger.signed')}</dt><dd><Wall at={head.signed_at} /></dd>
      <dt>{t('ledger.signature')}</dt><dd><Digest value={head.signature} /></dd>
      <dt>{t('ledger.key')}</dt><dd><Digest value={head.key} /></dd>
    </dl>
  );
}

function Filter({ subject }: { subject: string }) {
  const navigate = useNavigate();
  return (
    <>
      <Value kind="id" value={subject} />
      <Button small plain onClick={() => void navigate({ to: '/ledger' })}>{t('ledger.all')}</Button>
    </>
  );
}

function Prove({ size }: { size: number }) {
  const navigate = useNavigate();
  const [index, setIndex] = useState(String(size - 1));
  return (
    <form
      className="row"
      style={{ alignItems: 'flex-end' }}
      onSubmit={(event) => {
        event.preventDefault();
        void navigate({ to: '/ledger/$index', params: { index } });
      }}
    >
      <TextInput label={t('ledger.prove_which', { last: size - 1 })} inputMode="numeric" pattern="[0-9]+" required value={index} onChange={(event) => setIndex(event.currentTarget.value)} w={140} />
      <Button type="submit" plain>{t('ledger.prove_do')}</Button>
    </form>
  );
}
