// Copies of the data folder, in the contract's shapes.
import { wall } from './data.mjs';

const made = (minutes) => ({ made_at: wall(minutes), by: 'system', sealed: false, keys: false, verified_at: null, verdict: null });
const shelf = () => [
  { name: 'sereno-20260612T021400000Z.tar.gz.age', bytes: 48_211_090, kind: 'backup', ...made(-20), by: 'Marta Puig', sealed: true, keys: true, verified_at: wall(-10), verdict: 'sound' },
  { name: 'sereno-20260611T220000000Z.tar.gz', bytes: 47_006_112, kind: 'backup', ...made(-300) },
  { name: 'sereno-20260610T220000000Z.tar.gz', bytes: 12_400_001, kind: 'backup', ...made(-1740), verified_at: wall(-15), verdict: "'sereno.db' is not what was written: its digest differs" },
  { name: 'before-upgrade-1781000000000000.db', bytes: 181_000_192, kind: 'before upgrade', ...made(-9000) },
];

export const backupWorld = (bare) => ({ backups: bare ? [] : shelf() });

export const reads = [
  [/^\/backups$/, (w) => ({ items: w.backups, running: null, failed: '', folder: '/var/lib/sereno/backups', every_h: 24, keep: 3, sealed: false })],
];

export const writes = [
  [/^\/backups$/, (w, body) => {
    const name = `sereno-20260612T0230${String(w.backups.length).padStart(2, '0')}000Z.tar.gz${body.passphrase || body.recipients.length > 0 ? '.age' : ''}`;
    w.backups.unshift({ name, bytes: 47_100_000, kind: 'backup', ...made(0), by: 'administrator', sealed: name.endsWith('.age'), keys: body.keys });
    return { name };
  }],
  [/^\/backups\/(.+)\/verify$/, (w, body, [, name]) => {
    const one = w.backups.find((backup) => backup.name === name);
    if (one.sealed && !body.passphrase && !body.identity) return { status: 422, body: { type: 'urn:sereno:problem:backup-sealed', title: 'Unprocessable Entity', status: 422, detail: 'the backup is sealed by a passphrase, and none was given', remedy: 'Give the passphrase, or the age identity whose recipient it was sealed for.' } };
    Object.assign(one, { verified_at: wall(0), verdict: one.verdict ?? 'sound' });
    return { sound: one.verdict === 'sound', verdict: one.verdict, checked: { files: 212 } };
  }],
  [/^\/backups\/(.+)$/, (w, body, [, name]) => { w.backups = w.backups.filter((backup) => backup.name !== name); }],
];
