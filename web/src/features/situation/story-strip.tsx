import { Link } from '@tanstack/react-router';
import { Icon, Mark, type Shape } from '@/parts/icon';
import { t } from '@/strings/t';
import { story, type StepState, type StoryStep } from './story';
import type { SituationData } from './use-situation';

const SHAPE: Record<StepState, Shape> = { done: 'check', now: 'half', waiting: 'ring', problem: 'triangle' };

/** The loop in six steps: a person who has never seen it understands it from here. */
export function Story({ now }: { now: SituationData }) {
  return (
    <ol className="story" aria-label={t('story.title')}>
      {story(now).map((step) => <li key={step.key} className={step.state}><Step step={step} /></li>)}
    </ol>
  );
}

function Step({ step }: { step: StoryStep }) {
  const inside = (
    <>
      <span className="name">
        <Icon name={step.icon} />
        {t(`story.${step.key}`)}
        <span className="state">
          <Mark shape={SHAPE[step.state]} />
          <span className="hidden-text">{t(`story.state.${step.state}`)}</span>
        </span>
      </span>
      <span className="text" title={step.text}>{step.text}</span>
    </>
  );
  return step.to ? <Link to={step.to}>{inside}</Link> : <div>{inside}</div>;
}
