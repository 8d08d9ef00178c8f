import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { post } from '@/api/client';
import { reads } from '@/api/queries';
import type { LiftCase } from '@/api/types';
import { useMay } from '@/app/session';
import { useAct } from '@/parts/act';
import { Icon } from '@/parts/icon';
import { Empty, Failed, Loaded, Panel } from '@/parts/page';
import { sentence } from '@/parts/sentence';
import { Sure } from '@/parts/sure';
import { PlainTag } from '@/parts/tags';
import { Wall } from '@/parts/time';
import { t, tn, word } from '@/strings/pages';
import { Learn } from './learn';
import { stepsOf } from './words';
import './recovery.css';

const LOOKS = { holding: ['medium', 'dots'], trial: ['accent', 'half'], recovered: ['good', 'check'], escalated: ['critical', 'octagon'], stopped: ['low', 'bar'] } as const;

/** Blocks on their way to be lifted by themselves: where each stands, and why. */
export function LiftCases() {
  const cases = useQuery(reads.liftCases());
  const devices = useQuery(reads.devices());
  return (
    <Panel title={t('recovery.cases')} flush>
      <Loaded query={cases}>
        {(list) => (list.length === 0 ? <Empty title={t('recovery.cases_none')}>{t('recovery.cases_none_why')}</Empty> : <>{list.map((one) => <Case key={one.incident} lift={one} name={devices.data?.find((device) => device.id === one.device)?.name ?? one.target.mac ?? one.target.addresses.join(', ')} />)}</>)}
      </Loaded>
    </Panel>
  );
}

function Case({ lift, name }: { lift: LiftCase; name: string }) {
  const may = useMay('recovery.order');
  const mayTeach = useMay('recovery.write');
  const [tone, shape] = LOOKS[lift.stage];
  const act = useAct((action: 'stop' | 'again') => post(`/recovery/cases/${encodeURIComponent(lift.incident)}`, { action }), ['recovery', 'incidents', 'ledger']);
  const going = lift.stage === 'holding' || lift.stage === 'trial';
  return (
    <section className="lift-case" aria-label={t('recovery.case_of', { name })}>
      <div className="row apart">
        <span className="row"><b>{name}</b><PlainTag tone={tone} shape={shape}>{word('recovery.stage', lift.stage)}</PlainTag></span>
        <Link to="/incidents/$id" params={{ id: lift.incident }}>{t('recovery.to_incident')}</Link>
      </div>
      <ol className="lift">
        {stepsOf(lift).map((step) => (
          <li key={step.name} className={step.state} aria-current={step.state === 'now' ? 'step' : undefined}>
            <Icon name={step.state === 'done' ? 'check' : step.state === 'now' ? 'clock' : 'dash'} size={13} />
            {word('recovery.step', step.name)}
            <span className="hidden-text">({word('recovery.step_state', step.state)})</span>
          </li>
        ))}
      </ol>
      <p>{sentence(lift.detail)}</p>
      <p className="small quiet">
        {t('recovery.began')} <Wall at={lift.started_at} relative />
        {lift.failures > 0 && <> · {tn('recovery.failed_trials', lift.failures)}</>}
        {going && <> · {t('recovery.next')} <Wall at={lift.due_at} relative /></>}
      </p>
      {may && (
        <div className="row">
          {going && <Sure small text={t('recovery.stop')} sure={t('recovery.stop_sure')} of={name} busy={act.isPending} onSure={() => act.mutate('stop')} />}
          {(lift.stage === 'escalated' || lift.stage === 'stopped') && <Sure small text={t('recovery.again')} sure={t('recovery.again_sure')} of={name} busy={act.isPending} onSure={() => act.mutate('again')} />}
        </div>
      )}
      {act.isError && <Failed error={act.error} />}
      {mayTeach && <Learn incident={lift.incident} />}
    </section>
  );
}
