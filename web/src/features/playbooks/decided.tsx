// What was decided: who said what, when and by which way.
import { useInfiniteQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { reads } from '@/api/queries';
import type { Proposal } from '@/api/types';
import { Button } from '@/parts/button';
import { Empty, Failed, Ghost, Panel } from '@/parts/page';
import { DataTable, type Column } from '@/parts/table';
import { Wall } from '@/parts/time';
import { t, word } from '@/strings/pages';

type Voice = Proposal['voices'][number];

/** "Ben, in place of Ana said yes, by link: go" */
export function voiceText(voice: Pick<Voice, 'person' | 'for' | 'method' | 'comment'>): string {
  const who = voice.for ? t('asked.for', { person: voice.person, giver: voice.for }) : voice.person;
  const way = voice.method && voice.method !== 'unknown' ? `, ${word('decided.way', voice.method)}` : '';
  return `${t('proposal.voice', { person: who })}${way}${voice.comment ? `: ${voice.comment}` : ''}`;
}

const columns: Column<Proposal>[] = [
  { id: 'name', head: t('decided.what'), cell: (row) => (row.run ? <Link to="/runs/$id" params={{ id: row.run }}>{row.name}</Link> : row.name), sort: (row) => row.name },
  { id: 'state', head: t('decided.state'), cell: (row) => word('decided.state', row.state), sort: (row) => row.state },
  {
    id: 'who',
    head: t('decided.who'),
    cell: (row) => (
      <>
        {row.voices.map((voice) => <span key={voice.person} className="voice">{voiceText(voice)}</span>)}
        {row.state !== 'accepted' && <span className="voice">{row.decided_by}{row.comment && `: ${row.comment}`}</span>}
      </>
    ),
  },
  { id: 'at', head: t('decided.at'), cell: (row) => (row.decided_at ? <Wall at={row.decided_at} relative /> : '–'), sort: (row) => row.decided_at ?? '' },
];

export function Decided() {
  const found = useInfiniteQuery(reads.decidedProposals());
  const list = found.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <Panel title={t('decided.title')} flush>
      {found.isError && <Failed error={found.error} retry={found.refetch} />}
      {found.isPending && <Ghost rows={3} />}
      {found.isSuccess && list.length === 0 && <Empty title={t('decided.empty')} />}
      {list.length > 0 && <DataTable rows={list} columns={columns} caption={t('decided.title')} rowKey={(row) => row.id} />}
      {found.hasNextPage && <div style={{ padding: 12 }}><Button small plain busy={found.isFetchingNextPage} onClick={() => void found.fetchNextPage()}>{t('decided.more')}</Button></div>}
    </Panel>
  );
}
