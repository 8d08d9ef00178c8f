import type { UseQueryResult } from '@tanstack/react-query';
import { prefer, usePreferences } from '@/app/preferences';
import { addView, changeView, onWall, removeView, type SavedView } from '@/app/views';
import { useAct } from '@/parts/act';
import { Button } from '@/parts/button';
import { Empty, Failed, Loaded } from '@/parts/page';
import { t } from '@/strings/pages';

export function Views({ query }: { query: UseQueryResult<SavedView[]> }) {
  return (
    <Loaded query={query}>
      {(views) =>
        views.length === 0 ? (
          <Empty title={t('kept.none')}>{t('kept.none_why')}</Empty>
        ) : (
          <table className="data">
            <caption className="hidden-text">{t('views.title')}</caption>
            <thead className="hidden-text"><tr><th scope="col">{t('found.col.name')}</th><th scope="col">{t('table.actions')}</th></tr></thead>
            <tbody>{views.map((view, index) => <Row key={view.id} view={view} above={views[index - 1]} />)}</tbody>
          </table>
        )
      }
    </Loaded>
  );
}

function Row({ view, above }: { view: SavedView; above: SavedView | undefined }) {
  const home = usePreferences().home === view.id;
  const share = useAct(() => changeView(view.id, { shared: !view.shared }), ['views']);
  const gone = useAct(() => removeView(view.id), ['views'], undefined, { text: () => t('kept.removed', { name: view.name }), run: () => addView(view.name, view.path, view.shared) });
  const up = useAct(async () => { if (above) await Promise.all([changeView(view.id, { position: above.position }), changeView(above.id, { position: view.position })]); }, ['views']);
  const failed = share.error ?? gone.error ?? up.error;
  return (
    <tr>
      <td>
        <a href={view.path} className="strong">{view.name}</a>
        <div className="small quiet wrap">{view.own ? (view.shared ? t('kept.shared') : t('kept.own')) : t('kept.by', { name: view.owner })} · {view.path}</div>
        {failed && <Failed error={failed} />}
      </td>
      <td>
        <div className="row tight" style={{ justifyContent: 'flex-end' }}>
          <Button small plain aria-pressed={home} onClick={() => void prefer({ home: home ? undefined : view.id })}>{t(home ? 'kept.home_not' : 'kept.home')}</Button>
          {view.own && <Button small plain busy={share.isPending} onClick={() => share.mutate()}>{t(view.shared ? 'kept.keep_own' : 'kept.share')}</Button>}
          {view.own && above?.own && <Button small plain busy={up.isPending} onClick={() => up.mutate()}>{t('kept.up')}</Button>}
          <a href={onWall(view.path)} className="small">{t('palette.wall')}</a>
          {view.own && <Button small plain busy={gone.isPending} onClick={() => gone.mutate()}>{t('kept.remove')}</Button>}
        </div>
      </td>
    </tr>
  );
}
