// In whose place an answer is given: one's own, or that of somebody who gave their voice.
import { NativeSelect } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { reads } from '@/api/queries';
import type { Delegation } from '@/api/types';
import { useMay } from '@/app/session';
import { t } from '@/strings/pages';

/** Whose voices a person may raise about a question, each once. */
export function giversOf(list: Delegation[], me: string | undefined, kind: Delegation['kinds'][number], playbook?: string): string[] {
  const fits = (one: Delegation) => one.active && one.taker === me && one.kinds.includes(kind) && (one.playbook === null || one.playbook === playbook);
  return [...new Set(list.filter(fits).map((one) => one.giver))];
}

/** Nothing to choose where nobody gave their voice. */
export function InPlaceOf({ kind, playbook, value, onChange }: { kind: Delegation['kinds'][number]; playbook?: string; value: string; onChange: (giver: string) => void }) {
  const may = useMay('playbooks.run');
  const me = useQuery(reads.me());
  const list = useQuery({ ...reads.delegations(), enabled: may });
  const givers = giversOf(list.data?.items ?? [], me.data?.name, kind, playbook);
  if (givers.length === 0) return null;
  return <NativeSelect label={t('place.as')} value={value} data={[{ value: '', label: t('place.own') }, ...givers.map((giver) => ({ value: giver, label: t('place.for', { giver }) }))]} onChange={(event) => onChange(event.currentTarget.value)} />;
}
