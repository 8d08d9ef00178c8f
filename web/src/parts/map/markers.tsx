// Sites as buttons over a map, a world or a plan: the same marks, words and keys on all three.
import { useRef } from 'react';
import type { SiteNow } from '@/api/situation-reads';
import { Mark } from '@/parts/icon';
import { STANDINGS } from '@/parts/standing';
import { t, tn, word } from '@/strings/pages';
import { MAX_GROUPS, neighbour, type Group } from './cluster';

interface MarkersProps {
  groups: Group[];
  chosen: string | null;
  onSite: (site: SiteNow) => void;
  /** Several sites in one place: show them apart. */
  onGroup: (group: Group) => void;
}

function label({ sites, standing }: Group): string {
  const [first] = sites;
  if (sites.length === 1 && first) return t('map.site_label', { name: first.name, kind: first.kind, standing: word('standing', standing), devices: tn('tally.devices', first.devices) });
  return t('map.group_label', { sites: tn('tally.sites', sites.length), standing: word('standing', standing), names: sites.slice(0, 3).map((site) => site.name).join(', ') });
}

export function Markers({ groups, chosen, onSite, onGroup }: MarkersProps) {
  const box = useRef<HTMLDivElement>(null);
  const shown = groups.slice(0, MAX_GROUPS);
  return (
    <div ref={box} className="map-marks" role="group" aria-label={t('map.marks')}>
      {shown.map((group) => {
        const [first] = group.sites;
        const [tone, shape] = STANDINGS[group.standing];
        const single = group.sites.length === 1 && first !== undefined;
        return (
          <button
            key={group.key}
            type="button"
            data-key={group.key}
            className={`map-mark ${tone}${group.sites.some((site) => site.id === chosen) ? ' chosen' : ''}`}
            style={{ left: group.x, top: group.y }}
            aria-label={label(group)}
            title={label(group)}
            aria-pressed={single ? first.id === chosen : undefined}
            onClick={() => (single ? onSite(first) : onGroup(group))}
            onKeyDown={(event) => {
              const next = neighbour(shown, group.key, event.key);
              if (!next) return;
              event.preventDefault();
              event.stopPropagation();
              box.current?.querySelector<HTMLElement>(`[data-key="${CSS.escape(next.key)}"]`)?.focus();
            }}
          >
            <Mark shape={shape} />
            <span aria-hidden="true">{single ? first.name : group.sites.length}</span>
          </button>
        );
      })}
    </div>
  );
}
