// Copies of the data folder as the node lists them.

export interface Backup {
  name: string;
  bytes: number;
  kind: 'backup' | 'before upgrade';
  made_at: string;
  by: string;
  sealed: boolean;
  keys: boolean;
  verified_at: string | null;
  /** `sound`, or what is wrong; null when nobody read it through yet. */
  verdict: string | null;
}

export interface BackupList {
  items: Backup[];
  running: { name: string; done: number; of: number } | null;
  failed: string;
  folder: string;
  every_h: number;
  keep: number;
  sealed: boolean;
}

export interface BackupVerdict {
  sound: boolean;
  verdict: string;
  checked: { files: number } | null;
}
