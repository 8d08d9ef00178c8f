import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { reads } from '@/api/queries';
import { Icon } from '@/parts/icon';
import { MenuButton, type MenuEntry } from '@/parts/menu';
import { ago, useNow } from '@/parts/time';
import { t, tn } from '@/strings/t';

const SEEN = 'sereno-notices-seen';
const SHOWN = 8;

function seenBefore(): string {
  try {
    return localStorage.getItem(SEEN) ?? '';
  } catch {
    return '';
  }
}

/** What playbooks told the people at the console. */
export function Inbox() {
  const notices = useQuery(reads.notices());
  const runs = useQuery(reads.waitingRuns()).data?.length ?? 0;
  // What is only recommended stands in the list and calls nobody.
  const proposals = useQuery(reads.openProposals()).data?.items.filter((one) => one.level === 'ask').length ?? 0;
  const waiting = runs + proposals;
  const waitingText = [runs > 0 && tn('inbox.approvals', runs), proposals > 0 && tn('inbox.proposals', proposals)].filter(Boolean).join(', ');
  const navigate = useNavigate();
  const now = useNow();
  const [seen, setSeen] = useState(seenBefore);
  const list = notices.data ?? [];
  const fresh = list.filter((notice) => notice.recorded_at > seen).length;
  const markSeen = () => {
    const newest = list.reduce((latest, notice) => (notice.recorded_at > latest ? notice.recorded_at : latest), seen);
    setSeen(newest);
    try {
      localStorage.setItem(SEEN, newest);
    } catch {
      // Without storage the count comes back with the next page.
    }
  };
  const entries: MenuEntry[] = [];
  if (waiting > 0) {
    entries.push({ key: 'approvals', icon: 'check', text: waitingText, more: t('inbox.approvals_more'), act: () => void navigate({ to: '/approvals' }) }, { key: 'line', line: true });
  }
  entries.push({ key: 'head', label: list.length === 0 ? t('inbox.empty') : t('inbox.title') });
  for (const notice of list.slice(0, SHOWN)) {
    entries.push({
      key: notice.key,
      text: notice.title,
      more: notice.body,
      end: <span className="small quiet nowrap">{ago(notice.recorded_at, now)}</span>,
      act: () => notice.link && void navigate({ to: notice.link }),
    });
  }
  return (
    <MenuButton
      wordless
      label={waiting > 0 && fresh > 0 ? t('inbox.both', { n: waiting + fresh, waiting: waitingText, fresh: tn('inbox.fresh', fresh) }) : waiting > 0 ? waitingText : fresh > 0 ? tn('inbox.fresh', fresh) : t('inbox.title')}
      className={fresh + waiting > 0 ? 'icon-button round fresh' : 'icon-button round'}
      trigger={<><Icon name="bell" />{fresh + waiting > 0 && <b aria-hidden="true">{fresh + waiting}</b>}</>}
      entries={entries}
      width={360}
      onOpen={markSeen}
    />
  );
}
