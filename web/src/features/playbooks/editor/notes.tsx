// What the person at the desk must know before going on.
import { useQuery } from '@tanstack/react-query';
import { reads } from '@/api/queries';
import { Banner } from '@/parts/page';
import { Button } from '@/parts/button';
import { ago, useNow } from '@/parts/time';
import { t, tn } from '@/strings/pages';
import { objects, setAt } from '../model/document';
import type { Editor } from './use-editor';

export function Notes({ editor, stored, may, wrong }: { editor: Editor; stored: boolean; may: boolean; wrong: string | null }) {
  const now = useNow();
  const me = useQuery(reads.me());
  const { doc, base, changed, found } = editor;
  const signatures = objects(doc.signatures).length;
  return (
    <>
      {wrong && <Banner tone="critical" icon="incident"><div className="strong">{t('edit.refused')}</div><div className="soft">{wrong}</div></Banner>}
      {me.data && !may && <Banner tone="medium">{t('edit.may_not')}</Banner>}
      {found && changed && (
        <Banner tone={editor.overtaken ? 'medium' : 'accent'} icon="note">
          {t(stored ? 'edit.found' : 'edit.found_new', { ago: ago(found.at, now) })} {editor.overtaken && t('edit.overtaken')}{' '}
          <Button small plain onClick={editor.discard}>{t('edit.discard')}</Button>
        </Banner>
      )}
      {!editor.kept && <Banner tone="medium">{t('edit.not_kept')}</Banner>}
      {stored && doc.id !== base.id && <Banner tone="medium">{t('edit.another', { id: String(doc.id) })}</Banner>}
      {stored && changed && signatures > 0 && (
        <Banner tone="medium" icon="key">
          {tn('edit.signatures', signatures)} <Button small plain onClick={() => editor.edit(setAt(doc, ['signatures'], undefined))}>{t('edit.unsign')}</Button>
        </Banner>
      )}
    </>
  );
}
