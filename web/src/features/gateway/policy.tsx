import { Textarea } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { putJson } from '@/api/client';
import { reads } from '@/api/queries';
import type { GatewayDetail, GatewayPolicy, PolicyChange } from '@/api/types';
import { useMay } from '@/app/session';
import { useAct } from '@/parts/act';
import { Button } from '@/parts/button';
import { Banner, Failed, Ghost, Loaded, Panel } from '@/parts/page';
import { Segments } from '@/parts/segments';
import { sentence } from '@/parts/sentence';
import { DataTable, type Column } from '@/parts/table';
import { PlainTag } from '@/parts/tags';
import { Wall } from '@/parts/time';
import { t, word } from '@/strings/pages';
import { listed } from './order-draft';

const MODES = ['watch', 'dry_run', 'enforce'] as const;
const FAILS = ['open', 'closed'] as const;
const LOOKS = { watch: ['low', 'ring'], dry_run: ['medium', 'triangle'], enforce: ['good', 'check'] } as const;

export function ModeTag({ mode }: { mode: GatewayPolicy['mode'] }) {
  const [tone, shape] = LOOKS[mode];
  return <PlainTag tone={tone} shape={shape}>{word('gw.mode', mode)}</PlainTag>;
}

/** Mode, fail mode and who must never be cut off; what is typed holds once it is saved and the gateway took it. */
export function PolicyPanel({ gateway }: { gateway: GatewayDetail }) {
  const { policy } = gateway;
  const may = useMay('gateway.policy');
  const [mode, setMode] = useState(policy.mode);
  const [fail, setFail] = useState(policy.fail);
  const [protect, setProtect] = useState(policy.protect.join('\n'));
  const [sure, setSure] = useState(false);
  const wanted = listed(protect);
  const change = {
    ...(mode === policy.mode ? {} : { mode }),
    ...(fail === policy.fail ? {} : { fail }),
    ...(wanted.join() === policy.protect.join() ? {} : { protect: wanted }),
  };
  const changed = Object.keys(change).length > 0;
  // Less protection, or a network that stops with the process: asked once more.
  const grave = mode !== policy.mode || ('fail' in change && fail === 'closed') || policy.protect.some((one) => !wanted.includes(one));
  const act = useAct(() => putJson<GatewayPolicy>(`/gateways/${encodeURIComponent(gateway.name)}/policy`, change), ['gateways', 'ledger'], () => setSure(false));
  return (
    <Panel title={t('gw.policy')} end={<Taken policy={policy} connected={gateway.connected} />}>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          if (grave && !sure) setSure(true);
          else act.mutate();
        }}
      >
        {policy.problem && <Banner tone="critical" icon="incident">{t('gw.policy_problem')} {sentence(policy.problem)}</Banner>}
        {may ? (
          <>
            <div className="stack tight"><span className="small strong">{t('gw.mode_label')}</span><Segments label={t('gw.mode_label')} value={mode} options={MODES.map((one) => [one, word('gw.mode', one)] as const)} onChange={setMode} /><span className="small soft">{word('gw.mode_lead', mode)}</span></div>
            <div className="stack tight"><span className="small strong">{t('gw.fail_label')}</span><Segments label={t('gw.fail_label')} value={fail} options={FAILS.map((one) => [one, word('gw.fail', one)] as const)} onChange={setFail} /><span className="small soft">{word('gw.fail_lead', fail)}</span></div>
            <Textarea label={t('gw.protect')} description={t('gw.protect_lead')} autosize minRows={2} maxRows={8} spellCheck={false} value={protect} onChange={(event) => setProtect(event.currentTarget.value)} />
            {sure && <Banner tone="medium" icon="info">{t('gw.policy_sure')}</Banner>}
            <div className="row">
              <Button type="submit" small disabled={!changed} busy={act.isPending}>{t(sure ? 'gw.policy_yes' : 'gw.policy_save')}</Button>
              {sure && <Button small plain onClick={() => setSure(false)}>{t('gw.back')}</Button>}
            </div>
          </>
        ) : (
          <dl className="facts">
            <dt>{t('gw.mode_label')}</dt><dd>{word('gw.mode_lead', policy.mode)}</dd>
            <dt>{t('gw.fail_label')}</dt><dd>{word('gw.fail_lead', policy.fail)}</dd>
            <dt>{t('gw.protect')}</dt><dd>{policy.protect.join(', ') || t('gw.protect_none')}</dd>
          </dl>
        )}
        {act.isError && <Failed error={act.error} />}
      </form>
    </Panel>
  );
}

function Taken({ policy, connected }: { policy: GatewayPolicy; connected: boolean }) {
  if (policy.version === 0) return <span className="small quiet">{t('gw.policy_never')}</span>;
  if (policy.taken === policy.version) return <PlainTag tone="good" shape="check">{t('gw.policy_taken', { n: policy.version })}</PlainTag>;
  return <PlainTag tone="medium" shape="dots">{t(connected ? 'gw.policy_waits' : 'gw.policy_away', { n: policy.version })}</PlainTag>;
}

const columns: Column<PolicyChange>[] = [
  { id: 'version', head: t('gw.col.version'), cell: (row) => row.version, sort: (row) => row.version },
  { id: 'change', head: t('gw.col.change'), cell: (row) => sentence(row.change), sort: (row) => row.change },
  { id: 'by', head: t('gw.col.by'), cell: (row) => row.set_by, sort: (row) => row.set_by },
  { id: 'at', head: t('gw.col.when'), cell: (row) => <Wall at={row.set_at} relative />, sort: (row) => row.set_at },
];

/** Who changed what when. */
export function PolicyHistory({ name }: { name: string }) {
  const history = useQuery(reads.policyHistory(name));
  return (
    <Panel title={t('gw.history')} flush>
      <Loaded query={history} ghost={<Ghost rows={3} />}>
        {(list) => (list.length === 0 ? <p className="small quiet" style={{ padding: 16 }}>{t('gw.history_none')}</p> : <DataTable rows={list} columns={columns} caption={t('gw.history')} rowKey={(row) => String(row.version)} />)}
      </Loaded>
    </Panel>
  );
}
