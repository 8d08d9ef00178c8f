import type { Membership } from '@/api/types';
import { PlainTag } from '@/parts/tags';
import { t, word } from '@/strings/pages';

const LOOK = { joining: ['medium', 'dots'], refused: ['high', 'slash'], active: ['good', 'check'], left: ['low', 'bar'], expelled: ['critical', 'slash'], dissolved: ['low', 'bar'] } as const;

/** Where a membership stands; one whose certificate does not hold does not count, whatever its state says. */
export function Standing({ state, holds }: { state: Membership; holds: boolean }) {
  const [tone, shape] = state === 'active' && !holds ? (['high', 'triangle'] as const) : LOOK[state];
  return <PlainTag tone={tone} shape={shape}>{state === 'active' && !holds ? t('circle.not_holding') : word('circle.state', state)}</PlainTag>;
}
