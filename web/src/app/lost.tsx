import { Link } from '@tanstack/react-router';
import { Empty, Failed, PageView } from '@/parts/page';
import { t } from '@/strings/t';

/** A page that could not come or could not be painted: the frame stays, and so does the way back. */
export function Broken({ error }: { error: unknown }) {
  return (
    <PageView title={t('error.page')}>
      <section className="panel"><div className="body"><Failed error={error} retry={() => window.location.reload()} /></div></section>
    </PageView>
  );
}

export function Lost() {
  return (
    <PageView title={t('lost.title')}>
      <section className="panel">
        <Empty title={t('lost.what')} action={<Link to="/">{t('lost.home')}</Link>} />
      </section>
    </PageView>
  );
}
