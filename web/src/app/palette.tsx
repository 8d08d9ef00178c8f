import { Modal, TextInput } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useRouter } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import { asCurl, lastAct, lastReads } from '@/api/record';
import { reads } from '@/api/queries';
import type { NodeInfo } from '@/api/types';
import { Icon, type IconName } from '@/parts/icon';
import { copy } from '@/parts/value';
import { t } from '@/strings/t';
import { fit } from './fuzzy';
import { placesFor } from './places';
import { prefer } from './preferences';
import { recent } from './recent';
import { toast } from './undo';
import { addView, placeNow, removeView, titleNow, viewsRead } from './views';

interface Command {
  id: string;
  text: string;
  icon: IconName;
  /** What kind of command it is, said beside it. */
  kind: string;
  run: () => void;
}

const MAX_SHOWN = 12;
const MAX_ACTS = 30;

/** What can be done on the page behind, by the words on its buttons. */
function actsOfPage(): Command[] {
  const buttons = [...document.querySelectorAll<HTMLButtonElement>('main button:not(:disabled)')];
  const named = buttons.flatMap((button) => {
    const text = (button.getAttribute('aria-label') ?? button.textContent ?? '').trim();
    const shown = button.offsetParent !== null && text !== '' && text.length < 80 && !button.closest('th, .feed');
    return shown ? [{ text, button }] : [];
  });
  return named.slice(0, MAX_ACTS).map(({ text, button }, index) => ({ id: `act-${index}`, text, icon: 'play', kind: t('palette.kind.act'), run: () => { button.focus(); button.click(); } }));
}

function useCommands(info: NodeInfo): Command[] {
  const router = useRouter();
  const client = useQueryClient();
  const me = useQuery(reads.me());
  const views = useQuery(viewsRead());
  const incidents = useQuery(reads.incidents('all'));
  const devices = useQuery(reads.devices());
  // The page behind does not change while the palette is open.
  const acts = useMemo(actsOfPage, []);
  return useMemo(() => {
    const open = (id: string, text: string, icon: IconName, href: string, kind: string): Command => ({ id, text, icon, kind, run: () => router.history.push(href) });
    const { rail, more } = placesFor(info.node.kind, me.data);
    const [page, look, view, thing] = [t('palette.kind.page'), t('palette.kind.look'), t('palette.kind.view'), t('palette.kind.thing')];
    const save = async () => {
      const made = await addView(titleNow(), placeNow());
      await client.invalidateQueries({ queryKey: ['views'] });
      toast(t('views.saved', { name: made.name }), { back: async () => { await removeView(made.id); await client.invalidateQueries({ queryKey: ['views'] }); } });
    };
    const curl = (what: 'act' | 'read') => {
      const asked = what === 'act' ? [lastAct()].filter((one) => one !== undefined) : lastReads().slice(0, 5);
      if (asked.length === 0) return toast(t('palette.curl_none'));
      void copy(asked.map((one) => asCurl(one, window.location.origin)).join('\n')).then(() => toast(t('palette.curl_done')));
    };
    return [
      ...acts,
      ...recent().map((one) => open(`recent-${one.href}`, one.title, 'past', one.href, t('palette.kind.recent'))),
      ...[...rail, ...more].map((place) => open(place.to, t('palette.go', { place: place.text }), place.icon, place.to, page)),
      ...(views.data ?? []).map((one) => open(one.id, one.name, 'watch', one.path, view)),
      { id: 'save', text: t('views.save'), icon: 'download', kind: view, run: () => void save().catch((error: Error) => toast(error.message)) },
      { id: 'wall', text: t('palette.wall'), icon: 'system', kind: look, run: () => router.history.push('/?wall=1') },
      { id: 'curl-act', text: t('palette.curl_act'), icon: 'copy', kind: t('palette.kind.act'), run: () => curl('act') },
      { id: 'curl-read', text: t('palette.curl_read'), icon: 'copy', kind: t('palette.kind.act'), run: () => curl('read') },
      { id: 'light', text: t('palette.to_light'), icon: 'sun', kind: look, run: () => void prefer({ theme: 'light' }) },
      { id: 'dark', text: t('palette.to_dark'), icon: 'moon', kind: look, run: () => void prefer({ theme: 'dark' }) },
      { id: 'contrast-light', text: t('palette.to_contrast_light'), icon: 'sun', kind: look, run: () => void prefer({ theme: 'contrast-light' }) },
      { id: 'contrast-dark', text: t('palette.to_contrast_dark'), icon: 'moon', kind: look, run: () => void prefer({ theme: 'contrast-dark' }) },
      { id: 'compact', text: t('palette.to_compact'), icon: 'dash', kind: look, run: () => void prefer({ density: 'compact' }) },
      { id: 'normal', text: t('palette.to_normal'), icon: 'dash', kind: look, run: () => void prefer({ density: 'normal' }) },
      ...(incidents.data?.items ?? []).map((incident) => open(incident.id, incident.title, 'incident', `/incidents/${incident.id}`, thing)),
      ...(devices.data ?? []).map((device) => open(device.id, device.name, 'device', `/devices/${device.id}`, thing)),
    ];
  }, [acts, router, client, info, me.data, views.data, incidents.data, devices.data]);
}

export default function Palette({ info, onClose }: { info: NodeInfo; onClose: () => void }) {
  const [typed, setTyped] = useState('');
  const [at, setAt] = useState(0);
  const router = useRouter();
  const commands = useCommands(info);
  const scored = commands.flatMap((command, index) => {
    const score = fit(typed, command.text);
    return score === null ? [] : [{ command, score: score - index / 10_000 }];
  });
  const shown = scored.sort((a, b) => b.score - a.score).slice(0, MAX_SHOWN).map((one) => one.command);
  const text = typed.trim();
  if (text !== '') {
    const kind = t('palette.kind.search');
    shown.push({ id: 'search', text: t('search.all', { text }), icon: 'search', kind, run: () => router.history.push(`/search?q=${encodeURIComponent(text)}`) });
    shown.push({ id: 'lookup', text: t('palette.lookup', { value: text }), icon: 'intel', kind, run: () => router.history.push(`/intel?value=${encodeURIComponent(text)}`) });
  }
  const run = (command: Command | undefined) => {
    if (!command) return;
    onClose();
    // The dialog gives the focus back first.
    window.setTimeout(command.run, 0);
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
            <span className="clip grow">{command.text}</span>
            <span className="small nowrap">{command.kind}</span>
          </li>
        ))}
      </ul>
    </Modal>
  );
}
