// The facts of the mock's loop, oldest first.
import { BLOCKED, finding, ids, MAC, packet, wall } from './data.mjs';

let seq = 0;
const fact = (kind, subject, actor, sentence, at, event) => {
  seq += 1;
  return { seq, id: `01935a20-0000-7000-8000-${String(seq).padStart(12, '0')}`, kind, version: 1, subject, actor, sentence, payload: {}, event_at: event ?? null, recorded_at: wall(at) };
};

export function factsFor(kind) {
  seq = 0;
  if (kind === 'cert') {
    return [
      fact('identity.access_noted', 'Marta Puig', 'system', 'Marta Puig: user created (administrator)', -900),
      fact('identity.access_noted', 'Harbour Tram and Grid', 'system', 'Harbour Tram and Grid: peer added (certificate pinned)', -880),
      fact('cti.incident_received', ids.incident, 'peer:Harbour Tram and Grid', 'Harbour Tram and Grid shared an incident with us: Tram stop Glòries, detector 3 calls a controller outside', 2, finding.first_at),
      fact('incidents.opened', ids.incident, 'system', 'Incident opened: Tram stop Glòries, detector 3 calls a controller outside', 2.1, finding.first_at),
    ];
  }
  return [
    fact('identity.access_noted', 'administrator', 'system', 'administrator: user created (first run)', -120),
    fact('identity.access_noted', 'Harbour CERT', 'administrator', 'Harbour CERT: peer added (certificate pinned)', -110),
    fact('gateway.edge_connected', 'harbour-gw', 'edge:harbour-gw', 'Gateway harbour-gw connected; it enforces; source: IoT-23 capture 8-1 through this gateway', -90),
    fact('assets.device_seen', ids.device, 'edge:harbour-gw', 'New device Tram stop Glòries, detector 3', -88, packet(Date.parse('2018-07-31T13:15:11.474Z'))),
    fact('detection.model_trained', ids.device, 'system', 'Learned what is normal for Tram stop Glòries, detector 3 from 214 windows (range check and neural network)', -20, packet(Date.parse('2018-07-31T14:14:26.491Z'))),
    fact('detection.finding_raised', ids.finding, 'system', finding.title, 0, finding.first_at),
    fact('incidents.opened', ids.incident, 'system', 'Incident opened: Tram stop Glòries, detector 3 calls a controller outside', 0.1, finding.first_at),
    fact('playbooks.run_started', ids.run, 'playbook:contain', 'Playbook “Contain a talking device” started: an incident of severity high was opened', 0.2),
    fact('playbooks.step_finished', ids.run, 'playbook:contain', 'Look the remote party up: 178.128.185.250 is unknown to 2 sources, 9,012 values', 0.22),
    fact('gateway.enforcement_changed', MAC, 'edge:harbour-gw', 'Gateway harbour-gw: blocks b8:27:eb:7d:6b:a6 for 1 h', 0.5, packet(BLOCKED)),
    fact('playbooks.step_finished', ids.run, 'playbook:contain', 'Block the device: Gateway harbour-gw blocks b8:27:eb:7d:6b:a6 for 1 h', 0.55),
    fact('incidents.changed', ids.incident, 'playbook:contain', 'Tram stop Glòries, detector 3 calls a controller outside: contained', 0.6),
    fact('cti.share_decided', ids.share, 'playbook:contain', 'Sharing with Harbour CERT allowed: incidents of severity high may go to our CERT at TLP:AMBER or freer', 1),
    fact('cti.share_moved', ids.share, 'peer:Harbour CERT', 'Harbour CERT received the incident: receipt verified', 1.5),
    fact('playbooks.run_finished', ids.run, 'playbook:contain', 'Playbook “Contain a talking device” succeeded', 1.6),
    fact('detection.finding_updated', ids.finding, 'system', `${finding.title} (goes on: 5,411 windows)`, 40, finding.last_at),
    fact('cti.share_moved', ids.share, 'peer:Harbour CERT', 'Harbour CERT acknowledged the incident: We have it. Two other operators see the same controller.', 60),
  ];
}
