import { useMemo } from 'react';
import type { Bundle } from '@/api/types';
import { t, word } from '@/strings/pages';
import { graphOf, nameOf } from './bundle';
import { ObjectView } from './object-view';

interface BundleViewProps {
  bundle: Bundle;
  chosen: string | null;
  onChoose: (id: string | null) => void;
}

/** The graph's table twin: every object with what it is joined to. */
export function BundleTable({ bundle, chosen, onChoose }: BundleViewProps) {
  const { nodes, edges } = useMemo(() => graphOf(bundle), [bundle]);
  const names = new Map(nodes.map((node) => [node.id, node.label]));
  const object = bundle.objects.find((one) => one.id === chosen);
  return (
    <>
      <div className="scroll">
        <table className="data">
          <caption className="hidden-text">{t('share.table')}</caption>
          <thead>
            <tr><th scope="col">{t('bundle.col.type')}</th><th scope="col">{t('bundle.col.name')}</th><th scope="col">{t('bundle.col.joined')}</th></tr>
          </thead>
          <tbody>
            {bundle.objects.filter((one) => one.type !== 'relationship').map((one) => (
              <tr key={one.id}>
                <td>{word('stix', one.type)}</td>
                <td><button type="button" className="value" data-row aria-pressed={one.id === chosen} onClick={() => onChoose(one.id === chosen ? null : one.id)}>{nameOf(one)}</button></td>
                <td className="soft">{edges.filter((edge) => edge.from === one.id).map((edge) => <div key={edge.id}>{edge.label} → {names.get(edge.to)}</div>)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {object && <ObjectView object={object} />}
    </>
  );
}
