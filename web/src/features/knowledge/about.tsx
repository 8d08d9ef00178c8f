import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { reads } from '@/api/queries';
import type { KnowledgeLicence } from '@/api/types';
import { Loaded, PageView, Panel } from '@/parts/page';
import { DataTable, type Column } from '@/parts/table';
import { t, word } from '@/strings/pages';
import './knowledge.css';

const columns: Column<KnowledgeLicence>[] = [
  { id: 'name', head: t('about.col.name'), cell: (row) => row.name, sort: (row) => row.name },
  { id: 'terms', head: t('about.col.terms'), cell: (row) => <Terms licence={row} />, sort: (row) => row.terms },
  { id: 'origin', head: t('about.col.origin'), cell: (row) => word('about.origin', row.origin), sort: (row) => row.origin },
];

function Terms({ licence }: { licence: KnowledgeLicence }) {
  if (licence.text === null) return <span className="small">{licence.terms}</span>;
  return (
    <details>
      <summary>{licence.terms}</summary>
      <pre className="licence" tabIndex={0} aria-label={t('about.text', { name: licence.name })}>{licence.text}</pre>
    </details>
  );
}

/** What this program is, and under which terms the knowledge in it may be used. */
export function AboutPage() {
  const node = useQuery(reads.node());
  const licences = useQuery(reads.licences());
  return (
    <PageView title={t('about.title', { version: node.data?.node.version ?? '' })} lead={t('about.lead')}>
      <Panel title={t('about.licences')} flush>
        <Loaded query={licences}>{(list) => <DataTable rows={list} columns={columns} caption={t('about.licences')} rowKey={(row) => `${row.origin} ${row.name} ${row.terms}`} />}</Loaded>
      </Panel>
      <p><Link to="/api-docs">{t('about.api')}</Link> <span className="quiet">{t('about.api_why')}</span></p>
    </PageView>
  );
}
