import { Modal, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import { reads } from '@/api/queries';
import { Icon, type IconName } from '@/parts/icon';
import { t } from '@/strings/t';
import { more, rail } from './places';

interface Command {
  id: string;
  text: string;
  icon: IconName;
  to: string;
  search?: Record<string, string>;
}

const MAX_SHOWN = 12;

export default function Palette({ onClose }: { onClose: () => void }) {
  const [typed, setTyped] = useState('');
  const [at, setAt] = useState(0);
  const navigate = useNavigate();
  const incidents = useQuery(reads.incidents('all'));
  const devices = useQuery(reads.devices());
  const commands = useMemo<Command[]>(
    () => [
      ...[...rail, ...more].map((place) => ({ id: place.to, text: t('palette.go', { place: place.text }), icon: place.icon, to: place.to })),
      ...(incidents.data?.items ?? []).map((incident) => ({ id: incident.id, text: incident.title, icon: 'incident' as const, to: `/incidents/${incident.id}` })),
      ...(devices.data ?? []).map((device) => ({ id: device.id, text: device.name, icon: 'device' as const, to: `/devices/${device.id}` })),
    ],
    [incidents.data, devices.data],
  );
  const shown = commands.filter((command) => command.text.toLowerCase().includes(typed.toLowerCase())).slice(0, MAX_SHOWN);
  if (typed.trim() !== '') shown.push({ id: 'lookup', text: t('palette.lookup', { value: typed.trim() }), icon: 'search', to: '/intel', search: { value: typed.trim() } });
  const run = (command: Command | undefined) => {
    if (!command) return;
    onClose();
    void navigate({ to: command.to, search: (command.search ?? {}) as never });
  };
  const onKey = (event: React.KeyboardEvent) => {
    if (event.key === 'ArrowDown') setAt(Math.min(shown.length - 1, at + 1));
    else if (event.key === 'ArrowUp') setAt(Math.max(0, at - 1));
    else if (event.key === 'Enter') run(shown[at]);
    else return;
    event.preventDefault();
  };
  return (
    <Modal opened onClose={onClose} withCloseButton={false} padding="sm" classNames={{ body: 'palette' }} transitionProps={{ duration: 100 }} aria-label={t('palette.title')}>
      <TextInput
        data-autofocus
        value={typed}
        placeholder={t('palette.hint')}
        aria-label={t('palette.title')}
        role="combobox"
        aria-expanded="true"
        aria-controls="palette-list"
        aria-activedescendant={shown[at] ? `palette-${at}` : undefined}
        onChange={(event) => { setTyped(event.currentTarget.value); setAt(0); }}
        onKeyDown={onKey}
      />
      <ul id="palette-list" role="listbox" aria-label={t('palette.title')}>
        {shown.map((command, index) => (
          <li key={command.id} id={`palette-${index}`} role="option" aria-selected={index === at} onMouseMove={() => setAt(index)} onClick={() => run(command)}>
            <Icon name={command.icon} />
            <span className="clip">{command.text}</span>
          </li>
        ))}
      </ul>
    </Modal>
  );
}
