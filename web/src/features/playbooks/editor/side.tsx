// The panel beside the canvas: the chosen step, or a part of the playbook.
import { Segments } from '@/parts/segments';
import { Empty } from '@/parts/page';
import { t } from '@/strings/pages';
import type { Doc } from '../model/document';
import type { Part } from '../model/place';
import { Parties } from './parties';
import { PlaybookForm } from './playbook-form';
import { StepForm } from './step-form';
import { Variables } from './variables';

interface SideProps {
  doc: Doc;
  chosen: string | null;
  part: Part;
  onPart: (part: Part) => void;
  onChange: (doc: Doc, what?: string | null) => void;
  onChoose: (id: string) => void;
  onDelete: () => void;
  asking: boolean;
  onAnswer: (yes: boolean) => void;
}

export function Side({ doc, chosen, part, onPart, onChange, onChoose, onDelete, asking, onAnswer }: SideProps) {
  const form = { doc, onChange };
  return (
    <aside className="panel side" aria-label={t('edit.side')}>
      <header>
        <Segments<Part> label={t('edit.part')} value={part} options={[['step', t('edit.step')], ['playbook', t('edit.playbook')], ['variables', t('edit.variables')], ['agents', t('edit.agents')], ['targets', t('edit.targets')]]} onChange={onPart} />
      </header>
      <div className="body flush">
        {part === 'step' && (chosen ? <StepForm key={chosen} {...form} id={chosen} onChoose={onChoose} onDelete={onDelete} asking={asking} onAnswer={onAnswer} /> : <Empty title={t('edit.no_step')}>{t('edit.no_step_why')}</Empty>)}
        {part === 'playbook' && <PlaybookForm {...form} />}
        {part === 'variables' && <Variables {...form} path={['playbook_variables']} title={t('edit.playbook_variables')} />}
        {part === 'agents' && <Parties {...form} of="agent_definitions" title={t('edit.agents_who')} none={t('edit.agents_none')} />}
        {part === 'targets' && <Parties {...form} of="target_definitions" title={t('edit.targets_what')} none={t('edit.targets_none')} />}
      </div>
    </aside>
  );
}
