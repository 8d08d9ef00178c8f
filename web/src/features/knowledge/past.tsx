// Looking back: the pages of knowledge as they were on a day. The day stands in the address and goes along every link.
import { Link } from '@tanstack/react-router';
import { Wall } from '@/parts/time';
import { t } from '@/strings/pages';

/** The search part of a link: the query and the day, where there are any. */
export function keeping(at: string, q = ''): { q?: string; at?: string } {
  return { ...(q !== '' && { q }), ...(at !== '' && { at }) };
}

/** Says which day the page is of, and leads back to now; nothing where it is of now. */
export function AsKnown({ at, now }: { at: string; now: { to: string; params?: Record<string, string>; search?: Record<string, string> } }) {
  if (at === '') return null;
  return (
    <p className="as-known">
      <b>{t('know.as_known')} <Wall at={at} /></b> <Link to={now.to} params={now.params ?? {}} search={now.search ?? {}}>{t('know.now')}</Link>
    </p>
  );
}
