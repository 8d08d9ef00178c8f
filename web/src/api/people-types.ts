// Accounts and sessions, as the node tells of them.

export interface Person {
  name: string;
  roles: string[];
  grants: string[];
  for: string | null;
  mail: string | null;
  shown: string | null;
  disabled_at: string | null;
  signed_in_at: string | null;
}

export interface OpenSession {
  id: string;
  opened_at: string;
  seen_at: string;
  expires_at: string;
  source: string;
  browser: string;
  this: boolean;
}

/** What an account's own page needs of who is looking. */
export interface OwnAccount {
  name: string;
  roles: string[];
  mail: string | null;
  shown: string | null;
  account: boolean;
}
