import type { StixObject } from '@/api/types';
import { word } from '@/strings/pages';
import { nameOf } from './bundle';

/** One STIX object, whole. */
export function ObjectView({ object }: { object: StixObject }) {
  return (
    <div className="object-view">
      <h3>{word('stix', object.type)}: {nameOf(object)}</h3>
      <pre className="code" tabIndex={0} aria-label={object.id}>{JSON.stringify(object, null, 2)}</pre>
    </div>
  );
}
