import type { HandState } from '@/api/types';
import { count } from '@/parts/format';
import { PlainTag } from '@/parts/tags';
import { word } from '@/strings/pages';

const LOOK: Record<string, readonly ['low' | 'medium' | 'high' | 'critical' | 'good' | 'accent', 'slash' | 'dots' | 'half' | 'check' | 'cross' | 'bar' | 'ring']> = {
  withheld: ['high', 'slash'], queued: ['medium', 'dots'], sent: ['accent', 'half'], received: ['good', 'check'], refused: ['critical', 'cross'],
  cancelled: ['low', 'bar'], retracting: ['medium', 'dots'], retracted: ['low', 'bar'], waiting: ['medium', 'dots'], acknowledged: ['good', 'check'],
};

export function HandTag({ state }: { state: HandState }) {
  const [tone, shape] = LOOK[state] ?? ['low', 'ring'];
  return <PlainTag tone={tone} shape={shape}>{word('hand', state)}</PlainTag>;
}

/** How many stand where. */
export function Counts({ counts }: { counts: Record<string, number> }) {
  return (
    <span className="inline">
      {Object.entries(counts).map(([state, number]) => <span key={state}><b>{count(number)}</b> <HandTag state={state as HandState} /> </span>)}
    </span>
  );
}
