import { Link } from '@tanstack/react-router';
import { t } from '@/strings/pages';
import { whyParts } from './why-parts';

/** A reason as the node wrote it; runs and incidents in it are doors. */
export function WhyText({ why }: { why: string }) {
  if (why === '') return <>{t('gw.no_why')}</>;
  return (
    <>
      {whyParts(why).map((part, index) =>
        part.to === null ? <span key={index}>{part.text}</span> : (
          <Link key={index} className="inline" to={part.to === 'run' ? '/runs/$id' : '/incidents/$id'} params={{ id: part.text }} title={part.text}>
            {t(part.to === 'run' ? 'gw.why_run' : 'gw.why_incident')}
          </Link>
        ),
      )}
    </>
  );
}
