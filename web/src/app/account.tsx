import { useNavigate } from '@tanstack/react-router';
import { post } from '@/api/client';
import { session } from '@/api/session';
import type { NodeInfo } from '@/api/types';
import { useAct } from '@/parts/act';
import { Icon } from '@/parts/icon';
import { MenuButton, type MenuEntry } from '@/parts/menu';
import { t } from '@/strings/t';
import { prefer, usePreferences } from './preferences';

const SCHEMES = [
  ['light', 'sun', t('scheme.light')],
  ['dark', 'moon', t('scheme.dark')],
  ['contrast-light', 'sun', t('scheme.contrast_light')],
  ['contrast-dark', 'moon', t('scheme.contrast_dark')],
  ['system', 'system', t('scheme.auto')],
] as const;

interface AccountProps {
  info: NodeInfo;
  onHelp: () => void;
  onCommands: () => void;
}

export function Account({ info, onHelp, onCommands }: AccountProps) {
  const theme = usePreferences().theme ?? 'system';
  const navigate = useNavigate();
  const signOut = useAct(() => { session.leave(); return post('/sign-out'); }, ['node', 'me']);
  const name = info.signed_in?.user ?? t('account.nobody');
  const peer = info.demo?.peer_console_url;
  const entries: MenuEntry[] = [
    { key: 'name', label: `${name}${info.signed_in ? ` · ${info.signed_in.roles.join(', ')}` : ''}` },
    { key: 'account', icon: 'person', text: t('nav.account'), act: () => void navigate({ to: '/account' }) },
    { key: 'gateways', icon: 'watch', text: t('nav.gateways'), act: () => void navigate({ to: '/gateways' }) },
    { key: 'health', icon: 'health', text: t('nav.health'), act: () => void navigate({ to: '/health' }) },
    { key: 'preferences', icon: 'person', text: t('nav.preferences'), act: () => void navigate({ to: '/preferences' }) },
    { key: 'access', icon: 'key', text: t('nav.access'), act: () => void navigate({ to: '/access' }) },
    { key: 'people', icon: 'person', text: t('nav.people'), act: () => void navigate({ to: '/people' }) },
  ];
  if (info.first_run) entries.push({ key: 'first', icon: 'person', text: t('first_run.do'), act: () => void navigate({ to: '/first-run' }) });
  if (peer) {
    const text = t(info.node.kind === 'cert' ? 'demo.open_operator' : 'demo.open_cert');
    entries.push({ key: 'peer', icon: 'open', text, act: () => void window.open(peer, '_blank', 'noreferrer') });
  }
  entries.push(
    { key: 'l1', line: true },
    { key: 'look', label: t('scheme.title') },
    ...SCHEMES.map(([scheme, icon, text]) => ({ key: scheme, icon, text, checked: theme === scheme, stays: true, act: () => void prefer({ theme: scheme }) })),
    { key: 'l2', line: true },
    { key: 'commands', icon: 'command', text: t('palette.title'), end: <kbd>Ctrl K</kbd>, act: onCommands },
    { key: 'help', icon: 'info', text: t('help.title'), end: <kbd>?</kbd>, act: onHelp },
    { key: 'out', icon: 'out', text: t('account.sign_out'), act: () => signOut.mutate() },
  );
  return <MenuButton wordless label={t('account.menu', { name })} className="icon-button round" trigger={<Icon name="person" />} entries={entries} width={240} />;
}
