import { NativeSelect } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { reads } from '@/api/queries';
import type { IntelMatrix, MatrixCell } from '@/api/types';
import { count } from '@/parts/format';
import { Empty, Loaded, PageView, Panel } from '@/parts/page';
import { t, tn } from '@/strings/pages';
import './knowledge.css';

/** Steps of shade: none, one, few, some, many. The number stands in the cell, so that shade alone says nothing. */
const STEPS = [0, 1, 5, 20, 100];
const step = (n: number) => STEPS.filter((least) => n >= least && least > 0).length;

/** An ATT&CK matrix with how many relations here speak of each technique. */
export function MatrixPage() {
  const { domain = '' } = useSearch({ strict: false }) as { domain?: string };
  const navigate = useNavigate();
  const matrix = useQuery(reads.intelMatrix(domain));
  const shown = matrix.data?.matrix ?? null;
  return (
    <PageView
      title={shown ? tn('matrix.title', shown.covered, { all: count(shown.techniques + shown.sub_techniques), name: shown.name }) : t('nav.matrix')}
      lead={t('matrix.lead')}
      actions={
        matrix.data && shown ? (
          <>
            <NativeSelect aria-label={t('matrix.domain')} value={shown.domain} onChange={(event) => void navigate({ to: '/matrix', search: { domain: event.currentTarget.value } })} data={matrix.data.domains} />
            <a href={`/api/v1/intel/layer?domain=${encodeURIComponent(shown.domain)}`} download>{t('matrix.layer')}</a>
          </>
        ) : undefined
      }
    >
      <Loaded query={matrix}>
        {(data) =>
          data.matrix ? (
            <div className="stack wide">
              <section className="panel"><Columns matrix={data.matrix} /></section>
              {data.statements.length > 0 && <Panel title={t('matrix.terms')}>{data.statements.map((one) => <p key={one} className="small quiet">{one}</p>)}</Panel>}
            </div>
          ) : (
            <section className="panel"><Empty title={t('matrix.empty')}>{t('matrix.empty_why')}</Empty></section>
          )
        }
      </Loaded>
    </PageView>
  );
}

function Columns({ matrix }: { matrix: NonNullable<IntelMatrix['matrix']> }) {
  return (
    <div className="matrix" role="region" aria-label={matrix.name} tabIndex={0}>
      {matrix.columns.map((column) => (
        <section key={column.id} className="matrix-column" aria-label={column.name}>
          <h3>{column.name}</h3>
          <p className="small quiet">{t('matrix.covered', { n: column.covered, all: column.cells.length })}</p>
          <ul>
            {column.cells.map((cell) => <Cell key={cell.id} cell={cell} />)}
          </ul>
        </section>
      ))}
    </div>
  );
}

/** What is known of a technique, and of those below it, which its number counts too. */
const asked = (cell: MatrixCell) => {
  const ids = [cell.id, ...cell.below.map((one) => one.id)].map((id) => `technique:${id}`);
  return `${ids.length > 1 ? `(${ids.join(' OR ')})` : ids[0]} type:attack-pattern`;
};

function Cell({ cell }: { cell: MatrixCell }) {
  return (
    <li>
      <Door cell={cell} />
      {cell.below.length > 0 && (
        <details className="below">
          <summary>{tn('matrix.below', cell.below.length, { spoken: count(cell.covered) })}</summary>
          <ul>
            {cell.below.map((one) => <li key={one.id}><Door cell={one} /></li>)}
          </ul>
        </details>
      )}
    </li>
  );
}

function Door({ cell }: { cell: MatrixCell }) {
  return (
    <Link to="/knowledge" search={{ q: asked(cell) }} className={`cell step-${step(cell.total)}`} title={cell.id}>
      <span>{cell.name}</span>
      {cell.total > 0 && <b>{count(cell.total)}</b>}
    </Link>
  );
}
