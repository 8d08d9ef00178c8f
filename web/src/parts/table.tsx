// One table for all lists: sorted by its heads, walked with j and k, opened with Enter.
import { Link } from '@tanstack/react-router';
import { createColumnHelper, createSortedRowModel, rowSortingFeature, sortFns, tableFeatures, useTable } from '@tanstack/react-table';
import { useMemo, type ReactNode } from 'react';
import { t } from '@/strings/t';

export interface Column<T> {
  id: string;
  head: string;
  cell: (row: T) => ReactNode;
  /** What to sort by; without it the column does not sort. */
  sort?: (row: T) => string | number;
  right?: boolean;
}

/** Where a row leads. */
export interface Door {
  to: string;
  params?: Record<string, string>;
  search?: Record<string, string>;
}

interface DataTableProps<T> {
  rows: T[];
  columns: Column<T>[];
  caption: string;
  rowKey: (row: T) => string;
  /** Where a row leads; its first cell becomes the link. */
  door?: (row: T) => Door;
}

const features = tableFeatures({ rowSortingFeature, sortedRowModel: createSortedRowModel(), sortFns });

export function DataTable<T extends object>({ rows, columns, caption, rowKey, door }: DataTableProps<T>) {
  const defs = useMemo(() => {
    const helper = createColumnHelper<typeof features, T>();
    return columns.map((column) =>
      helper.accessor((row: T): unknown => column.sort?.(row) ?? '', {
        id: column.id,
        header: column.head,
        enableSorting: column.sort !== undefined,
        sortFn: 'basic',
      }),
    );
  }, [columns]);
  const table = useTable({ features, columns: defs, data: rows });
  const byId = useMemo(() => new Map(columns.map((column) => [column.id, column])), [columns]);
  return (
    <div className="scroll">
      <table className="data">
        <caption className="hidden-text">{caption}</caption>
        <thead>
          {table.getHeaderGroups().map((group) => (
            <tr key={group.id}>
              {group.headers.map((header) => {
                const column = byId.get(header.column.id);
                const sorted = header.column.getIsSorted();
                return (
                  <th key={header.id} scope="col" className={column?.right ? 'right' : ''} aria-sort={sorted === 'asc' ? 'ascending' : sorted === 'desc' ? 'descending' : undefined}>
                    {column?.sort ? (
                      <button type="button" onClick={header.column.getToggleSortingHandler()}>
                        {column.head}
                        <span aria-hidden="true">{sorted === 'asc' ? '↑' : sorted === 'desc' ? '↓' : ''}</span>
                      </button>
                    ) : column?.head || <span className="hidden-text">{t('table.actions')}</span>}
                  </th>
                );
              })}
            </tr>
          ))}
        </thead>
        <tbody>
          {table.getRowModel().rows.map((row) => (
            <Row key={rowKey(row.original)} row={row.original} columns={columns} door={door?.(row.original)} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

interface RowProps<T> {
  row: T;
  columns: Column<T>[];
  door: Door | undefined;
}

function Row<T>({ row, columns, door }: RowProps<T>) {
  return (
    <tr
      className={door ? 'door' : ''}
      onClick={(event) => {
        // The whole row is a door; its own links, buttons and selected text stay what they are.
        const target = event.target as HTMLElement;
        if (!door || target.closest('a, button, input') || window.getSelection()?.toString()) return;
        event.currentTarget.querySelector<HTMLAnchorElement>('a[data-row]')?.click();
      }}
    >
      {columns.map((column, index) => (
        <td key={column.id} className={column.right ? 'right' : ''}>
          {door && index === 0 ? (
            <Link to={door.to} params={door.params ?? {}} search={door.search ?? {}} data-row className="strong">{column.cell(row)}</Link>
          ) : (
            column.cell(row)
          )}
        </td>
      ))}
    </tr>
  );
}
