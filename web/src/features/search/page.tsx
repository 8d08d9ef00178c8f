import { useQuery } from '@tanstack/react-query';
import { Link, useSearch } from '@tanstack/react-router';
import { reads } from '@/api/queries';
import { KIND_ICON } from '@/app/search-list';
import { Icon } from '@/parts/icon';
import { Empty, Loaded, PageView, Panel } from '@/parts/page';
import { Wall } from '@/parts/time';
import { t, tn, word } from '@/strings/pages';

const PER_KIND = 10;
const OF_ONE_KIND = 50;

/** All that was found for some words; its address can be kept and sent. */
export function SearchPage() {
  const { q = '', kind } = useSearch({ strict: false }) as { q?: string; kind?: string };
  const found = useQuery(reads.search(q.trim(), kind, kind ? OF_ONE_KIND : PER_KIND));
  const count = found.data?.kinds.reduce((sum, one) => sum + one.items.length, 0) ?? 0;
  const more = found.data?.kinds.some((one) => one.more) ?? false;
  const title = !found.data || q.trim() === '' ? t('found.title') : count === 0 ? t('found.none', { text: q }) : more ? t('found.title_more', { n: count, text: q }) : tn('found.title_found', count, { text: q });
  return (
    <PageView title={title} lead={t('found.lead')} {...(kind ? { crumb: { to: '/search', text: t('found.every_kind'), search: { q } } } : {})}>
      {q.trim() === '' ? (
        <section className="panel"><Empty title={t('found.nothing')}>{t('found.nothing_why')}</Empty></section>
      ) : (
        <Loaded query={found}>
          {({ kinds }) =>
            kinds.length === 0 ? (
              <section className="panel"><Empty title={t('found.none', { text: q })} action={<Link to="/intel" search={{ value: q }}>{t('palette.lookup', { value: q })}</Link>}>{t('found.none_why')}</Empty></section>
            ) : (
              <div className="stack wide">
                {kinds.map((one) => (
                  <Panel key={one.kind} flush title={word('search.kind', one.kind)} end={one.more && !kind ? <Link to="/search" search={{ q, kind: one.kind }}>{t('found.more')}</Link> : one.more ? <span className="small quiet">{t('found.cut', { n: one.items.length })}</span> : null}>
                    {one.incomplete && <p className="small" style={{ padding: '8px 16px' }}>{t('found.incomplete')}</p>}
                    <table className="data">
                      <caption className="hidden-text">{word('search.kind', one.kind)}</caption>
                      <thead className="hidden-text"><tr><th scope="col">{t('found.col.name')}</th><th scope="col">{t('found.col.detail')}</th><th scope="col">{t('found.col.at')}</th></tr></thead>
                      <tbody>
                        {one.items.map((item) => (
                          <tr key={item.id}>
                            <td><span className="row nowrap"><Icon name={KIND_ICON[one.kind] ?? 'search'} /><Link to={item.path} data-row className="strong">{item.title}</Link></span></td>
                            <td className="soft">{item.detail}</td>
                            <td className="right nowrap">{item.at && <Wall at={item.at} relative />}</td>
                          </tr>
                        ))}
                      </tbody>
                    </table>
                  </Panel>
                ))}
              </div>
            )
          }
        </Loaded>
      )}
    </PageView>
  );
}
