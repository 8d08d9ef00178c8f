import type { IntelItem, IntelObject } from '@/api/types';
import { PlainTag } from '@/parts/tags';
import { Wall } from '@/parts/time';
import { t, tn, word } from '@/strings/pages';

type Standing = NonNullable<IntelObject['values'][number]['standing']>;

/** A score, and a word where it does not count. */
export function ScoreNow({ item }: { item: Pick<IntelItem, 'score_now' | 'standing'> }) {
  if (item.score_now === null || item.standing === null) return <>–</>;
  return <>{Math.round(item.score_now)}{item.standing !== 'lives' && <> <PlainTag>{word('know.standing', item.standing)}</PlainTag></>}</>;
}

/** What is left of a word on a value, why, and until when. */
export function StandingOf({ standing, excused }: { standing: Standing | null; excused: string | null }) {
  if (!standing) return excused ? <PlainTag>{t('know.excused_by', { lists: excused })}</PlainTag> : <>–</>;
  return (
    <>
      <b>{Math.round(standing.score)}</b> / {Math.round(standing.threshold)}{' '}
      <PlainTag>{excused ? t('know.excused_by', { lists: excused }) : word('know.standing', standing.word)}</PlainTag>
      <span className="small quiet" style={{ display: 'block' }}>
        {standing.until && <>{t(standing.word === 'lives' ? 'know.until' : 'know.was_until')} <Wall at={standing.until} />{' '}</>}
        {standing.reports > 0 && tn('know.reports', standing.reports)}
        {standing.repeated > 0 && <>{' '}{tn('know.repeated', standing.repeated)}</>}
      </span>
    </>
  );
}
