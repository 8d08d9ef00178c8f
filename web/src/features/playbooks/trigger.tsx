// When a playbook starts by itself: every trigger in words with what it did and held back, and forms for those who may.
import { useState } from 'react';
import { post, remove } from '@/api/client';
import type { PlaybookDetail, PlaybookTriggerMade, PlaybookTriggerState } from '@/api/types';
import { useMay } from '@/app/session';
import { useAct } from '@/parts/act';
import { Button } from '@/parts/button';
import { count } from '@/parts/format';
import { Failed, Panel } from '@/parts/page';
import { sentence } from '@/parts/sentence';
import { Sure } from '@/parts/sure';
import { Wall } from '@/parts/time';
import { copy } from '@/parts/value';
import { t, tn } from '@/strings/pages';
import { TriggerForm } from './trigger-form';
import '@/features/automation/automation.css';

const MOST = 8;

export function TriggerPanel({ playbook }: { playbook: PlaybookDetail }) {
  const may = useMay('playbooks.write');
  const [open, setOpen] = useState<string | null>(null);
  const [made, setMade] = useState<PlaybookTriggerMade | null>(null);
  const done = (result: PlaybookTriggerMade) => {
    setOpen(null);
    setMade(result.secret ? result : null);
  };
  const triggers = playbook.triggers;
  return (
    <Panel title={t('trigger.title')} end={<span className="small soft">{triggers.length === 0 ? t('trigger.by_hand') : tn('trigger.count', triggers.length)}</span>}>
      <div className="stack">
        {triggers.length > 0 && (
          <ul className="auto-lines">
            {triggers.map((one) => (
              <li key={one.id}>
                <Line trigger={one} />
                {may && open !== one.id && <Acts trigger={one} edit={() => setOpen(one.id)} secret={setMade} />}
                {may && open === one.id && <TriggerForm key={one.id} playbook={playbook} known={one} done={done} cancel={() => setOpen(null)} />}
                {made?.id === one.id && <Secret made={made} />}
              </li>
            ))}
          </ul>
        )}
        {may && open === 'new' && <TriggerForm playbook={playbook} done={done} cancel={() => setOpen(null)} />}
        {may && open !== 'new' && triggers.length < MOST && <span><Button plain onClick={() => setOpen('new')}>{t('trigger.add')}</Button></span>}
        {may && triggers.length >= MOST && <p className="small quiet">{t('trigger.full', { most: MOST })}</p>}
        {!may && <p className="soft">{t('trigger.may_not')}</p>}
      </div>
    </Panel>
  );
}

/** What a trigger is, did, held back, and does next. */
function Line({ trigger }: { trigger: PlaybookTriggerState }) {
  const facts = [
    trigger.started > 0 && tn('trigger.started', trigger.started),
    trigger.proposed > 0 && tn('trigger.proposed', trigger.proposed),
    trigger.held > 0 && t('trigger.held', { count: count(trigger.held) }),
    trigger.skipped > 0 && tn('trigger.skipped', trigger.skipped),
    trigger.gathered > 0 && t('trigger.gathered', { count: count(trigger.gathered) }),
  ].filter(Boolean);
  return (
    <>
      <span>{sentence(trigger.words)}</span>
      <span className="small soft" style={{ display: 'block' }}>
        {facts.length === 0 ? t('trigger.nothing_yet') : facts.join(' · ')}
        {trigger.last_at && <> · {t('trigger.last')} <Wall at={trigger.last_at} /></>}
        {trigger.next_at && <> · {t('trigger.next')} <Wall at={trigger.next_at} /></>}
      </span>
      {trigger.note && <span className="small quiet" style={{ display: 'block' }}>{t('trigger.note', { note: trigger.note })}</span>}
      {trigger.trigger.on === 'webhook' && <span className="small quiet" style={{ display: 'block' }}>{trigger.hook ? <code>POST {trigger.hook}</code> : t('trigger.revoked')}</span>}
    </>
  );
}

interface ActsProps {
  trigger: PlaybookTriggerState;
  edit: () => void;
  secret: (made: PlaybookTriggerMade | null) => void;
}

function Acts({ trigger, edit, secret }: ActsProps) {
  const roots = ['playbooks', 'incidents', 'ledger'];
  const away = useAct(() => remove(`/playbooks/${trigger.playbook}/triggers/${trigger.id}`), roots);
  const rotate = useAct(() => post<PlaybookTriggerMade>(`/playbooks/${trigger.playbook}/triggers/${trigger.id}/rotate`), roots, secret);
  const revoke = useAct(() => post<PlaybookTriggerMade>(`/playbooks/${trigger.playbook}/triggers/${trigger.id}/revoke`), roots, () => secret(null));
  const failed = [away, rotate, revoke].find((act) => act.isError);
  return (
    <>
      <span className="inline-acts">
        <Button small plain onClick={edit} aria-label={t('trigger.edit_this', { words: trigger.words })}>{t('trigger.edit')}</Button>
        {trigger.trigger.on === 'webhook' && <Sure small text={t('trigger.rotate')} sure={t('trigger.rotate_sure')} of={trigger.words} busy={rotate.isPending} onSure={() => rotate.mutate()} />}
        {trigger.hook && <Sure small text={t('trigger.revoke')} sure={t('trigger.revoke_sure')} of={trigger.words} busy={revoke.isPending} onSure={() => revoke.mutate()} />}
        <Sure small text={t('trigger.remove')} sure={t('trigger.remove_sure')} of={trigger.words} busy={away.isPending} onSure={() => away.mutate()} />
      </span>
      {failed && <Failed error={failed.error} />}
    </>
  );
}

function Copyable({ text }: { text: string }) {
  return <><code className="wrap">{text}</code> <Button small plain onClick={() => void copy(text)}>{t('trigger.copy')}</Button></>;
}

/** A secret is here once, with a line to try it. */
function Secret({ made }: { made: PlaybookTriggerMade }) {
  const curl = `curl -X POST ${window.location.origin}${made.hook ?? ''} -H 'webhook-secret: ${made.secret ?? ''}' -H 'content-type: application/json' -d '{}'`;
  return (
    <div role="status" className="stack">
      <p className="small">{t('trigger.secret')} <Copyable text={made.secret ?? ''} /></p>
      {made.trigger.signed ? <p className="small quiet">{t('trigger.sign')}</p> : <p className="small">{t('trigger.try')} <Copyable text={curl} /></p>}
    </div>
  );
}
