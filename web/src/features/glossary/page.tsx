// The words of the product, from the same page of the documentation.
import { TextInput } from '@mantine/core';
import { useNavigate, useSearch } from '@tanstack/react-router';
import source from '../../../../docs/glossary.md?raw';
import { Empty, PageView } from '@/parts/page';
import { t, tn } from '@/strings/pages';
import { termsOf } from './terms';
import './glossary.css';

const TERMS = termsOf(source);

export function GlossaryPage() {
  const { q = '' } = useSearch({ strict: false }) as { q?: string };
  const navigate = useNavigate();
  const wanted = q.trim().toLowerCase();
  const shown = TERMS.filter((one) => `${one.term} ${one.text}`.toLowerCase().includes(wanted));
  return (
    <PageView
      title={tn('glossary.title', shown.length)}
      lead={t('glossary.lead')}
      actions={<TextInput type="search" w={260} aria-label={t('glossary.filter')} placeholder={t('glossary.filter')} value={q} maxLength={80} onChange={(event) => void navigate({ to: '/glossary', search: event.currentTarget.value ? { q: event.currentTarget.value } : {}, replace: true })} />}
    >
      <section className="panel">
        {shown.length === 0 ? <Empty title={t('glossary.none')}>{t('glossary.none_why')}</Empty> : (
          <dl className="glossary">
            {shown.map((one) => <div key={one.term} id={one.id}><dt>{one.term}</dt><dd>{one.text}</dd></div>)}
          </dl>
        )}
      </section>
    </PageView>
  );
}
