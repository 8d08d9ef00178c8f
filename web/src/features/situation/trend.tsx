import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { situationReads } from '@/api/situation-reads';
import { daysBack, nextDay } from '@/features/figures/period';
import { Chart } from '@/parts/chart/echart';
import { t, word } from '@/strings/pages';

const DAYS = 14;
const LEVELS = ['low', 'medium', 'high', 'critical'] as const;

/** The last two weeks; loaded after the page, because it is never what one looks at first. */
export default function Trend() {
  const navigate = useNavigate();
  const figures = useQuery(situationReads.figures(daysBack(DAYS), undefined));
  const days = figures.data?.findings ?? [];
  if (days.every((day) => LEVELS.every((level) => day[level] === 0))) return null;
  return (
    <Chart
      title={t('trend.title')} file="findings-two-weeks" head={t('figures.day')} height={170} empty={t('figures.findings_empty')}
      note={<Link to="/figures">{t('trend.more')}</Link>}
      labels={days.map((day) => day.day.slice(5))}
      series={LEVELS.map((level) => ({ name: word('severity', level), tone: level, values: days.map((day) => day[level]) }))}
      door={(at, level) => (days[at] ? { to: '/findings', search: { q: `severity:${LEVELS[level] ?? 'low'} known>=${days[at].day} known<${nextDay(days[at].day)}` } } : null)}
      onDoor={(door) => void navigate({ to: door.to, search: door.search })}
    />
  );
}
