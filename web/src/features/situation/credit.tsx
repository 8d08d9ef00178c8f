import { useState } from 'react';
import { post } from '@/api/client';
import type { NodeInfo } from '@/api/types';
import { useMay } from '@/app/session';
import { useAct } from '@/parts/act';
import { Failed } from '@/parts/page';
import { t } from '@/strings/t';
import { Button } from '@/parts/button';

/** Whose data the demonstration shows, and the way to remove it. */
export function Credit({ info }: { info: NodeInfo }) {
  const [sure, setSure] = useState(false);
  const administrator = useMay('demo.remove');
  const remove = useAct(() => post('/demo/remove'), ['node']);
  if (!info.demo) return null;
  return (
    <footer className="credit stack tight">
      <p>{t('demo.credit_lead')} {info.demo.credit}</p>
      <div className="row">
        {info.demo.peer_console_url && (
          <a href={info.demo.peer_console_url} target="_blank" rel="noreferrer">
            {t(info.node.kind === 'cert' ? 'demo.open_operator' : 'demo.open_cert')}
          </a>
        )}
        {administrator && !sure && <Button small plain onClick={() => setSure(true)}>{t('demo.remove')}</Button>}
        {sure && !remove.isSuccess && (
          <>
            <span>{t('demo.sure')}</span>
            <Button small busy={remove.isPending} onClick={() => remove.mutate()}>{t('demo.remove_yes')}</Button>
            <Button small plain onClick={() => setSure(false)}>{t('demo.remove_no')}</Button>
          </>
        )}
        {remove.isSuccess && <span role="status">{t('demo.removed')}</span>}
      </div>
      {remove.isError && <Failed error={remove.error} />}
    </footer>
  );
}
