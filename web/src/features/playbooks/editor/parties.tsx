// Agents (who carries a command out) and targets (upon what).
import { Button } from '@/parts/button';
import { t } from '@/strings/pages';
import { dictionary, setAt, text, titleOf, type Doc } from '../model/document';
import { newId } from '../model/edit';
import { JsonField, Line, Part, Pick, Words } from './fields';
import { PARTY_TYPES } from './words';

interface PartiesProps {
  doc: Doc;
  of: 'agent_definitions' | 'target_definitions';
  title: string;
  none: string;
  onChange: (doc: Doc, what: string | null) => void;
}

const ADDRESSED = new Set(['http-api', 'linux', 'net-address', 'ssh']);
const PORTED = new Set(['http-api', 'linux', 'ssh']);
const CONTACT = new Set(['individual', 'group', 'organization']);

export function Parties({ doc, of, title, none, onChange }: PartiesProps) {
  const all = dictionary(doc, of);
  const secrets = Object.entries(dictionary(doc, 'authentication_info_definitions')).map(([id, one]) => ({ value: id, text: titleOf(id, one) }));
  const add = (type: string) => onChange(setAt(doc, [of, newId(type)], { type, name: '' }), null);
  return (
    <Part title={title} end={<Pick label={t('edit.party_add')} value="" none={t('edit.choose_type')} options={PARTY_TYPES.map((one) => ({ value: one, text: one }))} onChange={(type) => type && add(type)} />}>
      {Object.keys(all).length === 0 && <p className="small quiet">{none}</p>}
      {Object.entries(all).map(([id, party]) => {
        const type = text(party.type);
        const set = (name: string) => (next: unknown) => onChange(setAt(doc, [of, id, name], next), `${id} ${name}`);
        return (
          <div className="entry" key={id}>
            <div className="row apart"><span className="small quiet">{type}</span><Button small plain aria-label={t('edit.take_out', { name: titleOf(id, party) })} onClick={() => onChange(setAt(doc, [of, id], undefined), null)}>{t('edit.remove')}</Button></div>
            <Line must label={t('edit.name')} value={party.name} onChange={set('name')} />
            <Line label={t('edit.description')} value={party.description} onChange={set('description')} />
            {(ADDRESSED.has(type) || party.address !== undefined) && <JsonField label={t('edit.address')} note={t('edit.address_note')} value={party.address} onChange={set('address')} />}
            {(PORTED.has(type) || party.port !== undefined) && <Line label={t('edit.port')} value={party.port} onChange={set('port')} />}
            {(type === 'security-category' || party.category !== undefined) && <Words label={t('edit.category')} value={party.category} onChange={set('category')} />}
            {(type === 'sector' || party.sector !== undefined) && <Line label={t('edit.sector')} value={party.sector} onChange={set('sector')} />}
            {(CONTACT.has(type) || party.contact !== undefined) && <JsonField label={t('edit.contact')} value={party.contact} onChange={set('contact')} />}
            {(type === 'location' || party.location !== undefined) && <JsonField label={t('edit.location')} value={party.location} onChange={set('location')} />}
            {(PORTED.has(type) || party.authentication_info !== undefined) && <Pick label={t('edit.authentication')} value={text(party.authentication_info)} none={t('edit.nothing')} options={secrets} onChange={set('authentication_info')} />}
            <p className="small quiet mono wrap">{id}</p>
          </div>
        );
      })}
    </Part>
  );
}
