// The playbook editor: canvas or list in the middle, the form of what is chosen beside it.
import { useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { useMemo } from 'react';
import { reads } from '@/api/queries';
import { useNode } from '@/app/session';
import { Failed, Ghost, PageView } from '@/parts/page';
import { t } from '@/strings/pages';
import type { Doc } from '../model/document';
import { emptyPlaybook } from '../model/edit';
import { Desk } from './desk';

const crumb = { to: '/playbooks', text: t('nav.playbooks') };

export function NewPlaybookPage() {
  const node = useNode();
  const id = node.data?.node.id;
  const base = useMemo(() => (id ? emptyPlaybook(`identity--${id}`, new Date().toISOString()) : null), [id]);
  if (!base) return <Waiting title={t('edit.new')} error={node.error} retry={node.refetch} />;
  return <Desk key="new" draftKey="new" base={base} stored={null} />;
}

export function EditPlaybookPage() {
  const { id } = useParams({ strict: false }) as { id: string };
  const read = useQuery({ ...reads.playbook(id), refetchOnWindowFocus: false });
  if (!read.data) return <Waiting title={t('edit.one')} error={read.error} retry={read.refetch} />;
  return <Desk key={id} draftKey={id} base={read.data.playbook as Doc} stored={id} />;
}

function Waiting({ title, error, retry }: { title: string; error: unknown; retry: () => unknown }) {
  return (
    <PageView title={title} crumb={crumb}>
      <section className="panel">{error ? <div style={{ padding: 12 }}><Failed error={error} retry={retry} /></div> : <Ghost rows={8} />}</section>
    </PageView>
  );
}
