import { Link } from '@tanstack/react-router';
import { Icon, type IconName } from '@/parts/icon';
import { Empty } from '@/parts/page';
import { sentence } from '@/parts/sentence';
import { Packet, Wall } from '@/parts/time';
import type { TimelineItem } from '@/api/types';
import { t, word } from '@/strings/pages';

const ICONS: Record<string, IconName> = {
  finding: 'finding', action: 'playbook', enforcement: 'block', run: 'playbook', playbook: 'playbook', share: 'share', acknowledged: 'check',
  note: 'note', state: 'incident', opened: 'incident', lookup: 'intel', received: 'share',
};

/** The history with both times: when it happened on the wire, and since when it is known here. */
export function Timeline({ items }: { items: TimelineItem[] }) {
  if (items.length === 0) return <Empty title={t('timeline.empty')} />;
  return (
    <ol className="timeline">
      {items.map((item, index) => (
        <li key={`${item.recorded_at}${index}`}>
          <span className="knot"><Icon name={ICONS[item.kind] ?? 'info'} size={13} /><span className="hidden-text">{word('timeline.kind', item.kind)}: </span></span>
          <div>
            <p>{item.link ? <Link to={item.link}>{sentence(item.text)}</Link> : sentence(item.text)}</p>
            <p className="when">
              {item.event_at && <Packet at={item.event_at} />}
              <span>{t('timeline.known')} <Wall at={item.recorded_at} /></span>
              <span>{item.actor}</span>
            </p>
          </div>
        </li>
      ))}
    </ol>
  );
}
