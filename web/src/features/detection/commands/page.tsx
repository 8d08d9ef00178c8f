// What is normal between the machines behind one edge: how it stands, the text, its versions.
import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { Fragment } from 'react';
import { reads } from '@/api/queries';
import type { MachineModel } from '@/api/types';
import { count, percent } from '@/parts/format';
import { Banner, Failed, Ghost, PageView, Panel } from '@/parts/page';
import { sentence } from '@/parts/sentence';
import { WatchTag } from '@/parts/tags';
import { Packet, spanText } from '@/parts/time';
import { t } from '@/strings/pages';
import { Editor } from './editor';
import { Versions } from './versions';

export function MachinePage() {
  const { edge } = useParams({ strict: false }) as { edge: string };
  const machines = useQuery(reads.machines());
  const one = machines.data?.find((machine) => machine.edge === edge);
  return (
    <PageView title={t('commands.of', { edge })} crumb={{ to: '/commands', text: t('nav.commands') }} lead={one && sentence(one.protection)}>
      {machines.isError && <Failed error={machines.error} retry={machines.refetch} />}
      <div className="stack wide">
        {one ? <Standing one={one} /> : <section className="panel"><Ghost rows={4} /></section>}
        <Editor edge={edge} version={one?.version ?? 0} />
        <Versions edge={edge} />
      </div>
    </PageView>
  );
}

function Standing({ one }: { one: MachineModel }) {
  const counted = [
    ['commands.col.judged', one.judged], ['commands.informed', one.informed], ['commands.suppressed', one.suppressed], ['commands.kept_out', one.kept_out],
    ['commands.unwatched', one.unwatched], ['commands.waiting', one.waiting], ['commands.unread', one.unread], ['commands.unjudged', one.unjudged],
  ] as const;
  return (
    <Panel title={t('commands.now')} end={<WatchTag value={one.state.state} />}>
      <div className="stack">
        {'progress' in one.state && (
          <div className="stack tight">
            <span className="small soft num">{percent(one.state.progress)}</span>
            <div className="meter" aria-hidden="true"><span style={{ width: `${one.state.progress * 100}%` }} /></div>
          </div>
        )}
        {one.version > 0 && one.thin && <Banner tone="medium" icon="info">{t('commands.thin')}</Banner>}
        <dl className="facts">
          <dt>{t('commands.col.operations')}</dt><dd>{t('commands.learned_from', { n: count(one.operations), span: spanText(one.seconds * 1000) })}</dd>
          <dt>{t('commands.col.pairs')}</dt><dd className="num">{count(one.pairs)}</dd>
          <dt>{t('commands.col.unusual')}</dt><dd className="num"><Link to="/findings" search={{ q: 'detector:commands' }}>{count(one.unusual)}</Link></dd>
          {counted.filter(([, number], index) => index === 0 || number > 0).map(([key, number]) => <Fragment key={key}><dt>{t(key)}</dt><dd className="num">{count(number)}</dd></Fragment>)}
          {one.last_at && (<><dt>{t('commands.last')}</dt><dd><Packet at={one.last_at} /></dd></>)}
        </dl>
      </div>
    </Panel>
  );
}
