// What is said of the playbook as a whole.
import { t } from '@/strings/pages';
import { objects, setAt, text, workflowOf } from '../model/document';
import { stepWord } from '../canvas/look';
import { JsonField, Line, Part, Pick, Whole, Words } from './fields';
import type { FormProps } from './step-form';
import { ACTIVITIES, PLAYBOOK_TYPES } from './words';

const FIELDS = new Set([
  'type', 'spec_version', 'id', 'name', 'description', 'playbook_types', 'playbook_activities', 'created_by', 'created', 'modified', 'valid_from', 'valid_until', 'derived_from', 'related_to', 'priority', 'severity', 'impact',
  'industry_sectors', 'labels', 'external_references', 'markings', 'playbook_variables', 'workflow_start', 'workflow_exception', 'workflow', 'agent_definitions', 'target_definitions', 'signatures',
]);

export function PlaybookForm({ doc, onChange }: FormProps) {
  const set = (name: string, what: string | null = name) => (next: unknown) => onChange(setAt(doc, [name], next), what);
  const flow = workflowOf(doc);
  const steps = Object.keys(flow).map((id) => ({ value: id, text: stepWord(id, flow[id]) }));
  const rest = Object.keys(doc).filter((name) => !FIELDS.has(name));
  return (
    <div className="step-form">
      <Part title={t('edit.about')}>
        <Line must label={t('edit.name')} value={doc.name} onChange={set('name')} />
        <Line area label={t('edit.description')} value={doc.description} onChange={set('description')} />
        <Words label={t('edit.playbook_types')} list={PLAYBOOK_TYPES} value={doc.playbook_types} onChange={set('playbook_types')} />
        <Words label={t('edit.playbook_activities')} list={ACTIVITIES} value={doc.playbook_activities} onChange={set('playbook_activities')} />
        <Words label={t('edit.labels')} value={doc.labels} onChange={set('labels')} />
      </Part>
      <Part title={t('edit.begin')}>
        <Pick label={t('edit.workflow_start')} value={text(doc.workflow_start)} none={t('edit.choose')} options={steps.filter((one) => flow[one.value]?.type === 'start')} onChange={set('workflow_start', null)} />
        <Pick label={t('edit.workflow_exception')} note={t('edit.workflow_exception_note')} value={text(doc.workflow_exception)} none={t('edit.nothing')} options={steps} onChange={set('workflow_exception', null)} />
      </Part>
      <Part title={t('edit.weight')}>
        <div className="triple">
          <Whole label={t('edit.priority')} max={100} value={doc.priority} onChange={set('priority')} />
          <Whole label={t('edit.severity')} max={100} value={doc.severity} onChange={set('severity')} />
          <Whole label={t('edit.impact')} max={100} value={doc.impact} onChange={set('impact')} />
        </div>
        <p className="small quiet">{t('edit.weight_note')}</p>
      </Part>
      <Part title={t('edit.origin')}>
        <Line must mono label={t('edit.created_by')} value={doc.created_by} onChange={set('created_by')} />
        <div className="pair">
          <Line mono label={t('edit.valid_from')} value={doc.valid_from} onChange={set('valid_from')} />
          <Line mono label={t('edit.valid_until')} value={doc.valid_until} onChange={set('valid_until')} />
        </div>
        <Words label={t('edit.industry_sectors')} value={doc.industry_sectors} onChange={set('industry_sectors')} />
        <Words label={t('edit.markings')} value={doc.markings} onChange={set('markings')} />
        <Words label={t('edit.derived_from')} value={doc.derived_from} onChange={set('derived_from')} />
        <Words label={t('edit.related_to')} value={doc.related_to} onChange={set('related_to')} />
        <JsonField label={t('edit.external_references')} value={doc.external_references} onChange={set('external_references')} />
      </Part>
      <p className="small quiet wrap">
        {rest.length > 0 && `${t('edit.kept', { names: rest.join(', ') })} `}
        {objects(doc.signatures).length > 0 && `${t('edit.signed', { n: objects(doc.signatures).length })} `}
        <span className="mono">{text(doc.id)}</span>
      </p>
    </div>
  );
}
