import { useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { reads } from '@/api/queries';
import type { InclusionProof } from '@/api/types';
import { Banner, Failed, Ghost, PageView, Panel } from '@/parts/page';
import { Wall } from '@/parts/time';
import { Digest } from '@/parts/value';
import { t, tn, word } from '@/strings/pages';
import { Head } from './ledger';
import './ledger.css';
import { climb, type ProofCheck } from './merkle';

export function ProofPage() {
  const { index } = useParams({ strict: false }) as { index: string };
  const read = useQuery(reads.proof(Number(index)));
  const [check, setCheck] = useState<ProofCheck | null>(null);
  const proof = read.data;
  useEffect(() => {
    let current = true;
    setCheck(null);
    // The signed tree head is the authority, not the root that came with the proof.
    if (proof) void climb(proof, proof.head.root).then((result) => current && setCheck(result));
    return () => {
      current = false;
    };
  }, [proof]);
  const entry = useQuery({ ...reads.entry(Number(index)), enabled: read.data !== undefined });
  const crumb = { to: '/ledger', text: t('nav.ledger') };
  const title = check ? t(check.ok ? 'proof.title_ok' : 'proof.title_bad', { index }) : t('proof.title', { index });
  return (
    <PageView title={title} crumb={crumb} lead={t('proof.lead')}>
      {!proof ? (
        <section className="panel">{read.isError ? <div style={{ padding: 12 }}><Failed error={read.error} retry={read.refetch} /></div> : <Ghost rows={8} />}</section>
      ) : (
        <div className="cols">
          <div className="stack wide">
            {check && (check.ok ? (
              <Banner tone="good" icon="check">{tn('proof.ok', check.rungs.length)}</Banner>
            ) : (
              <Banner tone="critical" icon="incident">{t(check.fault === 'shape' ? 'proof.bad_shape' : 'proof.bad_root')}</Banner>
            ))}
            {entry.data && (
              <section className="panel">
                <div className="body stack tight">
                  <span className="strong">{entry.data.hidden ? t('ledger.hidden') : entry.data.erased ? t('ledger.erased') : entry.data.sentence}</span>
                  <span className="small quiet">{!entry.data.hidden && `${word('fact', entry.data.kind)} · ${entry.data.actor} · `}<Wall at={entry.data.at} /></span>
                </div>
              </section>
            )}
            <Panel title={t('proof.ladder')}>{check ? <Ladder proof={proof} check={check} /> : <Ghost rows={6} height={30} />}</Panel>
          </div>
          <Panel title={t('ledger.head')}><Head head={proof.head} /></Panel>
        </div>
      )}
    </PageView>
  );
}

/** From the root at the top down to the leaf, as one would climb it: each rung joins two hashes. */
function Ladder({ proof, check }: { proof: InclusionProof; check: ProofCheck }) {
  return (
    <ol className="ladder" reversed start={check.rungs.length}>
      {[...check.rungs].reverse().map((rung, at) => {
        const level = check.rungs.length - at;
        const top = at === 0;
        return (
          <li key={level} className={top ? 'top' : ''}>
            <div className={`hash ${top ? (check.ok ? 'ok' : 'bad') : ''}`}>
              <span className="small quiet">{top ? t(check.ok ? 'proof.root_ok' : 'proof.root_bad') : t('proof.level', { level })}</span>
              <Digest value={rung.result} length={16} />
            </div>
            <div className="join">
              <span className="rail-line" aria-hidden="true" />
              <span className="small">{t(rung.side === 'left' ? 'proof.left' : 'proof.right')}</span>
              <Digest value={rung.sibling} length={10} />
            </div>
          </li>
        );
      })}
      <li className="leaf">
        <div className="hash ok">
          <span className="small quiet">{t('proof.leaf', { index: proof.index })}</span>
          <Digest value={proof.leaf_hash} length={16} />
        </div>
      </li>
    </ol>
  );
}
