// The API, made from the node's own description: found by typing, read by keyboard, without anything from elsewhere.
import { TextInput } from '@mantine/core';
import { queryOptions, useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { useDeferredValue, useEffect, useMemo, useRef } from 'react';
import { get } from '@/api/client';
import { reads } from '@/api/queries';
import { Empty, Loaded, PageView, Panel } from '@/parts/page';
import { t, tn } from '@/strings/pages';
import { found, operationsOf, type Description, type Operation } from './model';
import { OperationView } from './operation';
import './apidocs.css';

const described = () => queryOptions({ queryKey: ['openapi'], queryFn: () => get<Description>('/openapi.json'), staleTime: Infinity });

export function ApiDocsPage() {
  const description = useQuery(described());
  const operations = useMemo(() => (description.data ? operationsOf(description.data) : []), [description.data]);
  return (
    <PageView
      title={description.data ? tn('apidocs.title', operations.length) : t('apidocs.name')}
      lead={<>{t('apidocs.lead')} <a className="line" href="/api/v1/openapi.json">openapi.json</a></>}
    >
      <Loaded query={description}>{(data) => <Browser description={data} operations={operations} />}</Loaded>
    </PageView>
  );
}

function Browser({ description, operations }: { description: Description; operations: Operation[] }) {
  const { q = '', op } = useSearch({ strict: false }) as { q?: string; op?: string };
  const navigate = useNavigate();
  const matrix = useQuery({ ...reads.accessMatrix(), retry: false });
  const question = useDeferredValue(q);
  const shown = useMemo(() => found(operations, question), [operations, question]);
  const chosen = operations.find((one) => one.id === op) ?? null;
  const rule = useMemo(() => (chosen ? (matrix.data?.routes.find((one) => one.path === chosen.path && one.method === chosen.method) ?? null) : null), [matrix.data, chosen]);
  const detail = useRef<HTMLDivElement>(null);
  const before = useRef(op);
  useEffect(() => {
    // Whoever chose an operation reads it next; the first page keeps the browser's own place.
    if (before.current !== op) detail.current?.focus();
    before.current = op;
  }, [op]);
  return (
    <div className="apidocs">
      <nav className="panel list" aria-label={t('apidocs.name')}>
        <div className="ask">
          <TextInput
            type="search"
            label={t('apidocs.search')}
            placeholder={t('apidocs.search_hint')}
            value={q}
            maxLength={200}
            onChange={(event) => void navigate({ to: '/api-docs', search: { ...(event.currentTarget.value ? { q: event.currentTarget.value } : {}), ...(op ? { op } : {}) }, replace: true })}
          />
          <p className="small quiet" role="status">{tn('apidocs.found', shown.length)}</p>
        </div>
        {shown.length === 0 ? <Empty title={t('apidocs.none')}>{t('apidocs.none_why')}</Empty> : <Sections operations={shown} question={q} chosen={op} />}
      </nav>
      <div className="detail" ref={detail} tabIndex={-1} role="region" aria-label={chosen ? `${chosen.method} ${chosen.path}` : t('apidocs.begin')}>
        {chosen ? <OperationView key={chosen.id} description={description} operation={chosen} rule={rule} /> : <Begin missing={op !== undefined} />}
      </div>
    </div>
  );
}

function Sections({ operations, question, chosen }: { operations: Operation[]; question: string; chosen: string | undefined }) {
  const sections = useMemo(() => {
    const all = new Map<string, Operation[]>();
    for (const one of operations) all.set(one.section, [...(all.get(one.section) ?? []), one]);
    return [...all];
  }, [operations]);
  return (
    <div className="sections">
      {sections.map(([section, list]) => (
        // A search opens what it found; otherwise the sections are the table of contents.
        <details key={`${section} ${question === '' ? 'all' : 'found'}`} open={question !== '' || list.some((one) => one.id === chosen)}>
          <summary><b>{section}</b> <span className="small quiet">{list.length}</span></summary>
          <ul>
            {list.map((one) => (
              <li key={one.id}>
                <Link to="/api-docs" search={{ ...(question ? { q: question } : {}), op: one.id }} aria-current={one.id === chosen ? 'true' : undefined} title={one.summary}>
                  <span className={`method ${one.method}`}>{one.method}</span> <span className="path">{one.path.replace('/api/v1', '')}</span>
                </Link>
              </li>
            ))}
          </ul>
        </details>
      ))}
    </div>
  );
}

/** What everybody needs to know before the first call. */
function Begin({ missing }: { missing: boolean }) {
  return (
    <Panel title={missing ? t('apidocs.missing') : t('apidocs.begin')}>
      <ul className="begin">
        <li>{t('apidocs.begin.token')} <code>Authorization: Bearer …</code></li>
        <li>{t('apidocs.begin.paging')} <code>limit</code>, <code>cursor</code>, <code>next</code></li>
        <li>{t('apidocs.begin.problems')} <code>application/problem+json</code></li>
        <li>{t('apidocs.begin.live')} <code>GET /api/v1/events</code></li>
        <li>{t('apidocs.begin.sight')}</li>
      </ul>
    </Panel>
  );
}
