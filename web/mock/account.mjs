// Accounts and sessions of the mock.
import { wall } from './data.mjs';

export const own = { mail: 'marta@harbour.example', shown: null, account: true };

const person = (name, role, more = {}) => ({ name, roles: [role], grants: [], for: null, mail: null, shown: null, disabled_at: null, signed_in_at: wall(-300), ...more });
const people = [
  person('administrator', 'administrator', { mail: own.mail, signed_in_at: wall(-20) }),
  person('ben', 'analyst', { shown: 'Ben Oliver', mail: 'ben@harbour.example' }),
  person('night-desk', 'operator', { signed_in_at: null }),
  person('former', 'read-only', { disabled_at: wall(-90) }),
];
const session = (id, browser, source, seen, here = false) => ({ id, opened_at: wall(seen - 2000), seen_at: wall(seen), expires_at: wall(seen + 40_000), source, browser, this: here });
const sessions = [session('a1b2c3d4e5f60718', 'Firefox on Linux', '10.0.4.17', -1, true), session('0f1e2d3c4b5a6978', 'Safari on iPhone', '10.0.9.3', -900)];

export const reads = [
  [/^\/users$/, () => people],
  [/^\/me\/sessions$/, () => sessions],
];
