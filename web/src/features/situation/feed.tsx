import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useEffect } from 'react';
import { reads } from '@/api/queries';
import type { Fact } from '@/api/types';
import { feed, useFeed } from '@/app/feed-store';
import { Icon } from '@/parts/icon';
import { Empty, Loaded, Panel } from '@/parts/page';
import { Packet, Wall } from '@/parts/time';
import { t, tn } from '@/strings/t';
import { doorOf, iconOf } from './fact-door';

const HISTORY = 60;

/** Everything that happened, as it happens. Nothing moves under the cursor. */
export function Feed() {
  const history = useQuery(reads.facts(HISTORY));
  const state = useFeed();
  useEffect(() => {
    if (history.data) feed.history(history.data.items);
  }, [history.data]);
  const pause = t(state.paused ? 'feed.resume' : 'feed.pause');
  return (
    <Panel
      flush
      title={t('feed.title')}
      end={
        <button type="button" className="icon-button" aria-label={pause} title={pause} data-key="p" aria-pressed={state.paused} onClick={() => feed.pause(!state.paused)}>
          <Icon name={state.paused ? 'play' : 'pause'} size={13} />
        </button>
      }
    >
      {state.waiting.length > 0 && (
        <button type="button" className="pill" onClick={() => feed.release()}>{tn('feed.new', state.waiting.length)}</button>
      )}
      <Loaded query={history}>
        {() =>
          state.shown.length === 0 ? (
            <Empty title={t('feed.empty')}>{t('feed.empty_why')}</Empty>
          ) : (
            <ol
              className="feed"
              tabIndex={0}
              aria-label={t('feed.title')}
              onMouseEnter={() => feed.hold(true)}
              onMouseLeave={() => feed.hold(false)}
              onFocus={() => feed.hold(true)}
              onBlur={() => feed.hold(false)}
            >
              {state.shown.map((fact) => <Line key={fact.seq} fact={fact} />)}
            </ol>
          )
        }
      </Loaded>
    </Panel>
  );
}

function Line({ fact }: { fact: Fact }) {
  const door = doorOf(fact);
  return (
    <li>
      <Icon name={iconOf(fact.kind)} />
      <span>{door ? <Link to={door}>{fact.sentence}</Link> : fact.sentence}</span>
      <span className="when">
        <Wall at={fact.recorded_at} relative />
        {fact.event_at && <Packet at={fact.event_at} />}
      </span>
    </li>
  );
}
