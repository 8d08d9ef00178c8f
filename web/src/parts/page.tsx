// Every page: a title that is a sentence, what to do beside it, and honest states.
import type { UseQueryResult } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useEffect, useRef, type ReactNode } from 'react';
import { ApiError } from '@/api/client';
import { t } from '@/strings/t';
import { Icon, type IconName } from './icon';
import { Wall } from './time';
import { Button } from './button';

interface PageProps {
  title: string;
  lead?: ReactNode;
  crumb?: { to: string; text: string; search?: Record<string, string> };
  actions?: ReactNode;
  children: ReactNode;
}

export function PageView({ title, lead, crumb, actions, children }: PageProps) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} · Sereno`;
  }, [title]);
  useEffect(() => {
    // After a change of page the reader's place is its title; the first page keeps the browser's own place.
    if (window.history.length > 1 && document.activeElement?.closest('.rail, .crumbs')) heading.current?.focus();
  }, []);
  return (
    <>
      <div className="head">
        {crumb && (
          <nav className="crumbs" aria-label={t('page.crumbs')}>
            <Link to={crumb.to} search={crumb.search ?? {}}>{crumb.text}</Link>
            <span aria-hidden="true">/</span>
          </nav>
        )}
        <div>
          <h1 ref={heading} tabIndex={-1}>{title}</h1>
          {lead && <div className="lead">{lead}</div>}
        </div>
        {actions && <div className="acts">{actions}</div>}
      </div>
      {children}
    </>
  );
}

interface PanelProps {
  title: ReactNode;
  end?: ReactNode;
  flush?: boolean;
  id?: string;
  children: ReactNode;
}

export function Panel({ title, end, flush, id, children }: PanelProps) {
  return (
    <section className="panel" id={id}>
      <header>
        <h2>{title}</h2>
        {end && <div className="end">{end}</div>}
      </header>
      <div className={flush ? 'body flush' : 'body'}>{children}</div>
    </section>
  );
}

export function Empty({ title, children, action }: { title: string; children?: ReactNode; action?: ReactNode }) {
  return (
    <div className="empty">
      <h3>{title}</h3>
      {children && <p>{children}</p>}
      {action && <div className="act">{action}</div>}
    </div>
  );
}

export function Ghost({ rows = 4, height = 18 }: { rows?: number; height?: number }) {
  return (
    <div className="stack" style={{ padding: 16 }} role="status" aria-label={t('page.loading')}>
      {Array.from({ length: rows }, (_, index) => (
        <div key={index} className="ghost" style={{ height, width: `${96 - ((index * 17) % 38)}%` }} />
      ))}
    </div>
  );
}

export function Banner({ tone = 'accent', icon = 'info', children }: { tone?: 'accent' | 'good' | 'medium' | 'critical'; icon?: IconName; children: ReactNode }) {
  return (
    <div className={`banner ${tone}`} role={tone === 'critical' ? 'alert' : 'note'}>
      <Icon name={icon} />
      <div className="grow">{children}</div>
    </div>
  );
}

/** What failed, what still works, what to do, an id to quote. */
export function Failed({ error, retry }: { error: unknown; retry?: (() => unknown) | undefined }) {
  const problem = error instanceof ApiError ? error.problem : null;
  const title = problem?.title ?? t('error.title');
  const detail = problem?.detail ?? (error instanceof Error ? error.message : null);
  return (
    <Banner tone="critical" icon="incident">
      <div className="strong">{title}</div>
      {detail && detail !== title && <div className="soft">{detail}</div>}
      {problem?.errors && <ul className="soft">{problem.errors.map((line) => <li key={line}>{line}</li>)}</ul>}
      <div className="soft">{problem?.remedy ?? t('error.remedy')}</div>
      {problem?.instance && <div className="small quiet">{t('error.quote')} <code>{problem.instance}</code></div>}
      {retry && <Button small plain onClick={() => void retry()}>{t('error.retry')}</Button>}
    </Banner>
  );
}

interface LoadedProps<T> {
  query: UseQueryResult<T>;
  ghost?: ReactNode;
  children: (data: T) => ReactNode;
}

/** Loading, error, stale and loaded in one place, so that no page forgets one. */
export function Loaded<T>({ query, ghost, children }: LoadedProps<T>) {
  if (query.data === undefined) {
    if (query.isError) return <div style={{ padding: 12 }}><Failed error={query.error} retry={query.refetch} /></div>;
    return <>{ghost ?? <Ghost />}</>;
  }
  return (
    <>
      {query.isError && (
        <p className="small quiet" style={{ padding: '6px 16px' }} role="status">
          {t('page.stale')} <Wall at={new Date(query.dataUpdatedAt).toISOString()} relative />
        </p>
      )}
      {children(query.data)}
    </>
  );
}
