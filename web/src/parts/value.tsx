// Every value has the same menu: look it up, find it, copy it.
import { useNavigate } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { t } from '@/strings/t';
import { MenuButton, type MenuEntry } from './menu';

export type ValueKind = 'address' | 'hash' | 'mac' | 'technique' | 'id' | 'text';

interface ValueProps {
  value: string;
  kind: ValueKind;
  children?: ReactNode;
}

export function Value({ value, kind, children }: ValueProps) {
  const navigate = useNavigate();
  const lookable = kind === 'address' || kind === 'hash';
  const entries: MenuEntry[] = [{ key: 'value', label: <span className="mono">{value}</span> }];
  if (lookable) entries.push({ key: 'lookup', icon: 'intel', text: t('value.lookup'), act: () => void navigate({ to: '/intel', search: { value } }) });
  const findings = (key: 'findings' | 'findings_own', field: string): void => void entries.push({ key, icon: 'finding', text: t(`value.${key}`), act: () => void navigate({ to: '/findings', search: { q: `${field}:"${value}"` } }) });
  if (kind === 'technique') findings('findings', 'technique');
  if (kind === 'address') findings('findings', 'peer');
  if (kind === 'address' || kind === 'mac') findings('findings_own', kind);
  entries.push({ key: 'copy', icon: 'copy', text: t('value.copy'), act: () => void copy(value) });
  const plain = kind === 'text' || kind === 'technique';
  return <MenuButton label={t('value.menu', { value })} trigger={children ?? value} className={plain ? 'value' : 'value mono'} entries={entries} />;
}

export async function copy(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Without a secure context there is no clipboard: select the text for the person instead.
    window.prompt(t('value.copy'), text);
  }
}

/** A digest: enough to compare by eye, the whole of it behind the menu. */
export function Digest({ value, length = 12 }: { value: string; length?: number }) {
  return <Value value={value} kind="hash">{value.length > length * 2 ? `${value.slice(0, length)}…${value.slice(-6)}` : value}</Value>;
}
