// What somebody fills in for a test of the policies, and the test that is made of it.
export interface TrialDraft {
  name: string;
  recipient: string;
  kind: string;
  sector: string;
  country: string;
  /** Id of a community that both are in; empty: none. */
  community: string;
  through: boolean;
  type: string;
  tlp: string;
  pap: string;
  confidence: string;
  labels: string;
  origin: string;
  source: string;
  expected: boolean;
}

export const EMPTY: TrialDraft = { name: '', recipient: '', kind: 'cert', sector: '', country: '', community: '', through: false, type: 'indicator', tlp: 'TLP:GREEN', pap: '', confidence: '', labels: '', origin: 'own', source: '', expected: true };

/** A test as the API takes it. */
export function trial(draft: TrialDraft) {
  const confidence = draft.confidence.trim();
  return {
    name: draft.name.trim(),
    expected: draft.expected,
    recipient: { id: '', name: draft.recipient.trim(), kind: draft.kind, sector: draft.sector.trim(), country: draft.country.trim().toUpperCase(), communities: draft.community === '' ? [] : [draft.community] },
    object: {
      type: draft.type.trim(),
      tlp: draft.tlp,
      pap: draft.pap === '' ? null : draft.pap,
      confidence: confidence === '' ? null : Number(confidence),
      labels: draft.labels.split(',').map((part) => part.trim()).filter((part) => part !== ''),
      received: draft.origin !== 'own',
      origin: draft.origin,
      source: draft.source.trim() === '' ? null : draft.source.trim(),
      through: null,
      onward: null,
      to_community: draft.through && draft.community !== '' ? draft.community : null,
      ceiling: null,
    },
  };
}
