// A run as a lit path on the canvas of its playbook, played again moment by moment. Several steps are
// lit where branches run at the same time. The list beside it says the same in words.
import { useQuery } from '@tanstack/react-query';
import { lazy, Suspense, useEffect, useMemo, useState } from 'react';
import { reads } from '@/api/queries';
import type { RunDetail } from '@/api/types';
import { Button } from '@/parts/button';
import { Failed, Ghost } from '@/parts/page';
import { spanText } from '@/parts/time';
import { t, tn } from '@/strings/pages';
import { stateMark } from './canvas/look';
import { workflowOf, type Doc } from './model/document';
import { momentsOf, statesAt, takenWays } from './model/replay';
import { RunStep } from './step';

const Canvas = lazy(() => import('./canvas/canvas'));
const FRAME_MS = 700;
const UNDER_WAY = new Set(['running', 'waiting']);

export function RunPath({ run }: { run: RunDetail }) {
  const playbook = useQuery({ ...reads.playbook(run.playbook), retry: false });
  const moments = useMemo(() => momentsOf(run), [run]);
  // The last place of the slider is the run as it stands; it stays there while the run goes on.
  const [picked, setPicked] = useState<number | null>(null);
  const [playing, setPlaying] = useState(false);
  const [chosen, setChosen] = useState<string | null>(null);
  const place = picked === null ? moments.length : Math.min(picked, moments.length);
  const at = place === moments.length ? null : (moments[place] ?? null);
  useEffect(() => {
    if (!playing) return;
    const timer = window.setTimeout(() => {
      const next = place + 1;
      setPicked(next >= moments.length ? null : next);
      if (next >= moments.length) setPlaying(false);
    }, FRAME_MS);
    return () => window.clearTimeout(timer);
  }, [playing, place, moments.length]);
  const states = useMemo(() => statesAt(run, at), [run, at]);
  const marks = useMemo(() => new Map([...states].map(([id, state]) => [id, stateMark(state)])), [states]);
  const ways = useMemo(() => {
    const taken = takenWays(run, at);
    return (_: string, from: string, to: string) => (taken(from, to) ? 'lit' : 'unlit');
  }, [run, at]);
  if (playbook.isError) return <div className="path-body"><Failed error={playbook.error} /><p className="soft">{t('lit.no_document')}</p></div>;
  if (!playbook.data) return <Ghost rows={8} />;
  const doc = playbook.data.playbook as Doc;
  const strange = [...states.keys()].filter((id) => !workflowOf(doc)[id]).length;
  const active = [...states.values()].filter((state) => UNDER_WAY.has(state)).length;
  const first = moments[0];
  const passes = run.steps.filter((step) => step.step === chosen);
  return (
    <>
      {strange > 0 && <p className="path-body small soft">{t('lit.newer', { n: strange })}</p>}
      <Suspense fallback={<Ghost rows={10} />}>
        <Canvas doc={doc} label={t('lit.canvas_of')} marks={marks} ways={ways} chosen={chosen} onChoose={setChosen} />
      </Suspense>
      {moments.length > 0 && (
        <div className="replay" role="group" aria-label={t('lit.replay')}>
          <Button small plain onClick={() => (playing ? setPlaying(false) : (setPicked(place === moments.length ? 0 : place), setPlaying(true)))}>{playing ? t('lit.stop') : t('lit.play')}</Button>
          <input
            type="range" min={0} max={moments.length} step={1} value={place} aria-label={t('lit.moment')}
            aria-valuetext={at === null ? t('lit.now') : `${t('lit.moment_n', { n: place + 1, all: moments.length })}, +${spanText(at - (first ?? at))}`}
            onChange={(event) => {
              setPlaying(false);
              const next = Number(event.currentTarget.value);
              setPicked(next >= moments.length ? null : next);
            }}
          />
          <span className="small soft num" role="status">{at === null ? t('lit.now') : `+${spanText(at - (first ?? at))}`} · {active === 0 ? t('lit.under_way_none') : tn('lit.under_way', active)}</span>
        </div>
      )}
      {passes.length > 0 && (
        <ol className="path path-body">
          {passes.map((step, index) => <RunStep key={`${step.step}${index}`} run={run} step={step} number={passes.length > 1 ? index + 1 : null} />)}
        </ol>
      )}
    </>
  );
}
