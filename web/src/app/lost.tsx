import { Link } from '@tanstack/react-router';
import { Empty, PageView } from '@/parts/page';
import { t } from '@/strings/t';

export function Lost() {
  return (
    <PageView title={t('lost.title')}>
      <section className="panel">
        <Empty title={t('lost.what')} action={<Link to="/">{t('lost.home')}</Link>} />
      </section>
    </PageView>
  );
}
