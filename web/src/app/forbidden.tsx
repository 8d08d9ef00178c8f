// An address that was typed anyway: who may, and whom to ask.
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { reads } from '@/api/queries';
import { Empty, PageView } from '@/parts/page';
import { t } from '@/strings/t';
import type { Place } from './places';

export default function Forbidden({ place }: { place: Place }) {
  const me = useQuery(reads.me());
  const matrix = useQuery(reads.accessMatrix());
  const roles = matrix.data?.routes.find((rule) => rule.permission === place.permission)?.roles ?? [];
  return (
    <PageView title={t('forbidden.title', { place: place.text })}>
      <section className="panel">
        <Empty title={t('forbidden.what', { roles: me.data?.roles.join(', ') ?? '' })} action={<Link to="/">{t('lost.home')}</Link>}>
          {roles.length > 0 ? t('forbidden.who', { roles: roles.join(', ') }) : t('forbidden.nobody')}
        </Empty>
      </section>
    </PageView>
  );
}
