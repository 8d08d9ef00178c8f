import { NativeSelect } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { patch, post, remove } from '@/api/client';
import { reads } from '@/api/queries';
import type { Community, Invitation, Invited, Member } from '@/api/types';
import { useMay } from '@/app/session';
import { useAct } from '@/parts/act';
import { Button } from '@/parts/button';
import { ActForm } from '@/parts/form';
import { Banner, Empty, Failed, Ghost, Loaded, PageView, Panel } from '@/parts/page';
import { download } from '@/parts/chart/save';
import { Sure } from '@/parts/sure';
import { DataTable, type Column } from '@/parts/table';
import { PlainTag, TlpTag } from '@/parts/tags';
import { Wall } from '@/parts/time';
import { t, tn, word } from '@/strings/pages';
import { Standing } from './standing';

const ROLES = ['contributor', 'reader'];

const ENDS = { active: ['circle.leave', 'circle.leave_sure'], joining: ['circle.leave', 'circle.leave_sure'], refused: ['circle.forget', 'circle.forget_sure'] } as const;

/** One community: what holds in it, who is in it, who is asked in. */
export function CommunityPage() {
  const { id } = useParams({ strict: false }) as { id: string };
  const one = useQuery(reads.community(id));
  const may = useMay('communities.manage');
  const it = one.data;
  const end = useAct(() => (it?.led ? remove(`/communities/${id}`) : post(`/communities/${id}/leave`)), ['communities']);
  const ends = it?.led ? (it.state === 'active' ? (['circle.dissolve', 'circle.dissolve_sure'] as const) : null) : it && it.state in ENDS ? ENDS[it.state as keyof typeof ENDS] : null;
  const counted = it?.members?.filter((member) => member.holds).length ?? 0;
  return (
    <PageView
      title={it ? t('circle.of', { name: it.name, members: tn('circle.members', counted) }) : t('nav.communities')}
      crumb={{ to: '/communities', text: t('nav.communities') }}
      lead={it?.description}
      actions={may && ends && <Sure text={t(ends[0])} sure={t(ends[1])} busy={end.isPending} onSure={() => end.mutate()} />}
    >
      {one.isError && <Failed error={one.error} retry={one.refetch} />}
      {end.isError && <Failed error={end.error} />}
      <div className="stack wide">
        {it?.refusal && <Banner tone="medium"><p>{t('circle.refused', { leader: it.leader, reason: it.refusal })}</p>{may && <p className="small">{t('circle.refused_next')}</p>}</Banner>}
        {it?.offer && <Offer it={it} offer={it.offer} may={may} />}
        {it ? <Terms it={it} /> : !one.isError && <section className="panel"><Ghost rows={4} /></section>}
        {it && <Members it={it} may={may} />}
        {it?.led && may && it.state === 'active' && !it.offer && <Invite it={it} />}
        {it?.led && <Invitations it={it} may={may} />}
      </div>
    </PageView>
  );
}

/** The leadership on its way: who leads waits, who is asked says yes or no. */
function Offer({ it, offer, may }: { it: Community; offer: NonNullable<Community['offer']>; may: boolean }) {
  const accept = useAct((behind: boolean) => post(`/communities/${it.id}/lead/accept`, { leave_behind: behind }), ['communities']);
  const decline = useAct(() => post(`/communities/${it.id}/lead/decline`), ['communities']);
  const stands = accept.error && 'problem' in accept.error && (accept.error.problem as { errors?: string[] }).errors;
  const busy = accept.isPending || decline.isPending;
  if (!offer.ours) return <Banner><p>{t('circle.lead_waits', { name: it.members?.find((one) => one.node === offer.to)?.organisation ?? offer.to })} <Wall at={offer.expires_at} /></p></Banner>;
  return (
    <div className="stack">
      <Banner>
        <p>{t('circle.lead_offered', { leader: it.leader })} <Wall at={offer.expires_at} /></p>
        {offer.members.length > 0 && <p className="small">{t('circle.lead_members', { members: offer.members.join(', ') })}</p>}
        {may && <p className="inline"><Sure text={t('circle.lead_accept')} sure={t('circle.lead_accept_sure')} busy={busy} onSure={() => accept.mutate(false)} /> <Sure text={t('circle.lead_decline')} sure={t('circle.lead_decline_sure')} busy={busy} onSure={() => decline.mutate()} /></p>}
      </Banner>
      {accept.isError && <Failed error={accept.error} />}
      {stands && <div><Sure text={t('circle.lead_behind')} sure={t('circle.lead_behind_sure')} busy={busy} onSure={() => accept.mutate(true)} /></div>}
      {decline.isError && <Failed error={decline.error} />}
    </div>
  );
}

function Terms({ it }: { it: Community }) {
  return (
    <Panel title={t('circle.terms')} end={<Standing state={it.state} holds={it.holds} />}>
      <dl className="facts">
        <dt>{t('circle.col.leader')}</dt><dd>{it.led ? t('circle.here') : it.leader}{it.handovers > 0 && <span className="quiet"> {tn('circle.handovers', it.handovers)}</span>}</dd>
        <dt>{t('circle.col.role')}</dt><dd>{word('circle.role', it.role)}{it.not_after && <span className="quiet"> {t('circle.until')} <Wall at={it.not_after} /></span>}</dd>
        <dt>{t('circle.col.tlp')}</dt><dd><TlpTag value={it.max_tlp} /></dd>
        <dt>{t('circle.contribute')}</dt><dd>{word('circle.who', it.contribute)}</dd>
        <dt>{t('circle.roster')}</dt><dd>{word('circle.who', it.roster)}</dd>
        <dt>{t('circle.onward')}</dt><dd>{t(it.onward ? 'circle.onward_yes' : 'circle.onward_no')}</dd>
      </dl>
    </Panel>
  );
}

function Members({ it, may }: { it: Community; may: boolean }) {
  const change = useAct(({ node, role }: { node: string; role: string }) => patch(`/communities/${it.id}/members/${node}`, { role }), ['communities']);
  const expel = useAct((node: string) => remove(`/communities/${it.id}/members/${node}`), ['communities']);
  const lead = useAct((node: string) => post(`/communities/${it.id}/lead`, { organisation: node }), ['communities']);
  const members = it.members ?? [];
  // While the leadership is on its way nothing changes.
  const acts = may && it.led && it.state === 'active' && !it.offer;
  const columns: Column<Member>[] = [
    { id: 'organisation', head: t('circle.col.organisation'), cell: (row) => row.organisation, sort: (row) => row.organisation },
    {
      id: 'role',
      head: t('circle.col.role'),
      cell: (row) =>
        acts && row.state === 'active' ? (
          <NativeSelect aria-label={t('circle.role_of', { name: row.organisation })} data={ROLES.map((value) => ({ value, label: word('circle.role', value) }))} value={row.role} disabled={change.isPending} onChange={(event) => change.mutate({ node: row.node, role: event.currentTarget.value })} />
        ) : (
          word('circle.role', row.role)
        ),
      sort: (row) => row.role,
    },
    { id: 'state', head: t('circle.col.state'), cell: (row) => <Standing state={row.state} holds={row.holds} />, sort: (row) => row.state },
    { id: 'until', head: t('circle.col.until'), cell: (row) => <Wall at={row.not_after} />, sort: (row) => row.not_after },
    { id: 'acts', head: '', cell: (row) => acts && row.state === 'active' && (
        <span className="inline">
          <Sure small text={t('circle.lead_offer')} of={row.organisation} sure={t('circle.lead_offer_sure')} busy={lead.isPending} onSure={() => lead.mutate(row.node)} />{' '}
          <Sure small text={t('circle.expel')} of={row.organisation} sure={t('circle.expel_sure')} busy={expel.isPending} onSure={() => expel.mutate(row.node)} />
        </span>
      ), right: true },
  ];
  return (
    <Panel title={t('circle.members_head')} flush>
      {members.length === 0 ? <Empty title={t('circle.alone')}>{t(it.led ? 'circle.alone_why' : 'circle.alone_roster')}</Empty> : <DataTable rows={members} columns={columns} caption={t('circle.members_head')} rowKey={(row) => row.node} />}
      {change.isError && <Failed error={change.error} />}
      {expel.isError && <Failed error={expel.error} />}
      {lead.isError && <Failed error={lead.error} />}
    </Panel>
  );
}

/** A signed file for one organisation; it opens the door once. */
function Invite({ it }: { it: Community }) {
  const organisations = useQuery(reads.organisations());
  const others = (organisations.data ?? []).filter((one) => one.peer);
  const [chosen, setChosen] = useState('');
  const [role, setRole] = useState('contributor');
  const organisation = chosen || others[0]?.id || '';
  const act = useAct(() => post<Invitation>(`/communities/${it.id}/invitations`, { organisation, role }), ['communities']);
  return (
    <Panel title={t('circle.invite')}>
      {organisations.data && others.length === 0 ? (
        <Empty title={t('circle.nobody')}>{t('circle.nobody_why')}</Empty>
      ) : (
        <ActForm
          act={act}
          done={(made) => (
            <Banner tone="good" icon="key">
              <p>{t('circle.invited', { name: others.find((one) => one.id === made.node)?.name ?? made.node })} <Wall at={made.expires_at} /></p>
              <p><Button small plain onClick={() => download(`${it.name}-invitation.json`, new Blob([JSON.stringify(made, null, 2)], { type: 'application/json' }))}>{t('circle.save')}</Button></p>
            </Banner>
          )}
        >
          <NativeSelect label={t('circle.col.organisation')} data={others.map((one) => ({ value: one.id, label: one.name }))} value={organisation} onChange={(event) => setChosen(event.currentTarget.value)} />
          <NativeSelect label={t('circle.col.role')} data={ROLES.map((value) => ({ value, label: word('circle.role', value) }))} value={role} onChange={(event) => setRole(event.currentTarget.value)} />
          <Button type="submit" plain disabled={organisation === ''} busy={act.isPending}>{t('circle.invite_go')}</Button>
        </ActForm>
      )}
    </Panel>
  );
}

const OPEN = { open: ['medium', 'dots'], used: ['good', 'check'], withdrawn: ['low', 'slash'], expired: ['low', 'bar'] } as const;

/** What was made and is not forgotten yet; an open one can be taken back. */
function Invitations({ it, may }: { it: Community; may: boolean }) {
  const made = useQuery(reads.invitations(it.id));
  const withdraw = useAct((one: Invited) => remove(`/communities/${it.id}/invitations/${one.id}`), ['communities']);
  const columns: Column<Invited>[] = [
    { id: 'organisation', head: t('circle.col.organisation'), cell: (row) => row.organisation || <code>{row.node}</code>, sort: (row) => row.organisation },
    { id: 'role', head: t('circle.col.role'), cell: (row) => word('circle.role', row.role), sort: (row) => row.role },
    { id: 'state', head: t('circle.col.state'), cell: (row) => <PlainTag tone={OPEN[row.state][0]} shape={OPEN[row.state][1]}>{word('circle.invited_state', row.state)}</PlainTag>, sort: (row) => row.state },
    { id: 'until', head: t('circle.col.good_until'), cell: (row) => <Wall at={row.expires_at} />, sort: (row) => row.expires_at },
    { id: 'by', head: t('circle.col.made_by'), cell: (row) => row.made_by, sort: (row) => row.made_by },
    { id: 'acts', head: '', cell: (row) => may && row.state === 'open' && <Sure small text={t('circle.withdraw')} of={row.organisation} sure={t('circle.withdraw_sure')} busy={withdraw.isPending} onSure={() => withdraw.mutate(row)} />, right: true },
  ];
  return (
    <Panel title={t('circle.invitations')} flush>
      {withdraw.isError && <Failed error={withdraw.error} />}
      <Loaded query={made}>
        {(all) => (all.length === 0 ? <Empty title={t('circle.no_invitations')}>{t('circle.no_invitations_why')}</Empty> : <DataTable rows={all} columns={columns} caption={t('circle.invitations')} rowKey={(row) => row.id} />)}
      </Loaded>
    </Panel>
  );
}
