import { Link } from '@tanstack/react-router';
import type { Milestones as Moments } from '@/api/types';
import { Icon } from '@/parts/icon';
import { Panel } from '@/parts/page';
import { spanText, Wall } from '@/parts/time';
import { t, word } from '@/strings/pages';

const STEPS = ['detected', 'contained', 'eradicated', 'recovered'] as const;

/** The whole of an incident in four moments, and how long each took from the first. */
export function Milestones({ moments }: { moments: Moments }) {
  const first = Date.parse(moments.detected);
  return (
    <Panel title={t('milestone.title')} end={<Link to="/recovery" className="small">{t('nav.recovery')}</Link>}>
      <ol className="milestones">
        {STEPS.map((step) => {
          const at = moments[step];
          return (
            <li key={step} className={at ? 'reached' : ''}>
              <Icon name={at ? 'check' : 'dash'} size={14} />
              <span>
                <b>{word('milestone', step)}</b>
                <span className="small quiet" style={{ display: 'block' }}>
                  {at ? <><Wall at={at} />{step !== 'detected' && <> · {t('milestone.after', { time: spanText(Date.parse(at) - first) })}</>}</> : word('milestone.not', step)}
                </span>
              </span>
            </li>
          );
        })}
      </ol>
    </Panel>
  );
}
