import { useQuery } from '@tanstack/react-query';
import { useEffect, useMemo } from 'react';
import { reads } from '@/api/queries';
import { Icon, type IconName } from '@/parts/icon';
import { Ghost } from '@/parts/page';
import { t, word } from '@/strings/t';
import { may, places } from './places';
import { answerTo, LEAST } from './search';
import './search.css';

export const KIND_ICON: Record<string, IconName> = { incidents: 'incident', findings: 'finding', devices: 'device', intel: 'intel', playbooks: 'playbook', runs: 'play', people: 'person' };

interface ListProps {
  typed: string;
  asked: string;
  at: number;
  onFound: (hrefs: string[]) => void;
  onPick: (href: string) => void;
}

interface Row {
  href: string;
  title: string;
  detail: string;
  icon: IconName;
  head: string | null;
}

/** Pages whose name begins like this; they need no node. */
function pagesLike(text: string, allowed: (permission: string) => boolean): Row[] {
  const wanted = text.toLowerCase();
  return places.filter((one) => one.text.toLowerCase().includes(wanted) && allowed(one.permission)).slice(0, 3)
    .map((one) => ({ href: one.to, title: one.text, detail: '', icon: one.icon, head: t('search.kind.pages') }));
}

export default function SearchList({ typed, asked, at, onFound, onPick }: ListProps) {
  const me = useQuery(reads.me());
  const found = useQuery(reads.search(asked, undefined, 4));
  const rows = useMemo(() => {
    const kinds = (asked.length >= LEAST && found.data?.kinds) || [];
    const all: Row[] = [
      ...kinds.flatMap((kind) => kind.items.map((item) => ({ href: item.path, title: item.title, detail: item.detail, icon: KIND_ICON[kind.kind] ?? 'search', head: word('search.kind', kind.kind) }))),
      ...pagesLike(typed, (permission) => may(me.data, permission)),
    ];
    // A head stands once, above the first of its kind.
    const rows = all.map((row, index) => (all[index - 1]?.head === row.head ? { ...row, head: null } : row));
    const [href, title] = [answerTo(typed), answerTo(typed).startsWith('/intel') ? t('palette.lookup', { value: typed }) : t('search.all', { text: typed })];
    return [...rows, { href, title, detail: '', icon: 'search' as const, head: '' }];
  }, [found.data, typed, asked, me.data]);
  useEffect(() => onFound(rows.map((row) => row.href)), [rows, onFound]);
  return (
    <div className="search-panel" aria-busy={found.isFetching}>
      {found.isPending && asked.length >= LEAST && <Ghost rows={3} />}
      <ul id="search-list" role="listbox" aria-label={t('frame.search')}>
        {rows.map((row, index) => (
          <li key={`${row.href}-${index}`} role="option" id={`found-${index}`} aria-selected={index === at} onPointerDown={(event) => event.preventDefault()} onClick={() => onPick(row.href)}>
            {row.head !== null && row.head !== '' && <span className="search-head">{row.head}</span>}
            <span className="search-row"><Icon name={row.icon} /><span className="clip">{row.title}</span>{row.detail && <span className="clip small quiet">{row.detail}</span>}</span>
          </li>
        ))}
      </ul>
      {found.isError && <p className="small quiet" style={{ padding: '4px 12px' }}>{t('search.failed')}</p>}
    </div>
  );
}
