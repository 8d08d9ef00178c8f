// How it stands with a device or a site: shape, colour and word, everywhere the same.
import type { Standing } from '@/api/situation-reads';
import { word } from '@/strings/pages';
import { Mark, type Shape } from './icon';
import type { Tone } from './tags';

export const STANDINGS: Record<Standing, readonly [Tone, Shape]> = {
  attention: ['critical', 'octagon'],
  not_enforced: ['high', 'triangle'],
  blocked: ['medium', 'slash'],
  contained: ['accent', 'half'],
  unwatched: ['medium', 'triangle'],
  learning: ['accent', 'dots'],
  well: ['good', 'check'],
  empty: ['low', 'ring'],
};

const ORDER = Object.keys(STANDINGS) as Standing[];

/** The worst first, as the node sorts them. */
export const rankOf = (standing: Standing): number => ORDER.indexOf(standing);

export const worstOf = (all: Standing[]): Standing => all.reduce((worst, one) => (rankOf(one) < rankOf(worst) ? one : worst), 'empty');

export function StandingTag({ value, bare }: { value: Standing; bare?: boolean }) {
  const [tone, shape] = STANDINGS[value] ?? STANDINGS.empty;
  return (
    <span className={`tag ${tone}${bare ? ' bare' : ''}`}>
      <Mark shape={shape} />
      {word('standing', value)}
    </span>
  );
}
