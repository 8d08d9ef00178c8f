import { NativeSelect, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { KEY_GROUPS, kept, type KeyGroup, type Preferences, type Theme } from '@/app/kept';
import { prefer, usePreferences } from '@/app/preferences';
import { Check } from '@/parts/check';
import { PageView, Panel } from '@/parts/page';
import { t, word } from '@/strings/pages';
import { LOCALES, locale } from '@/strings/locale';
import { Button } from '@/parts/button';
import { viewsRead } from '@/app/views';
import { Views } from './views';

const THEMES: Theme[] = ['system', 'light', 'dark', 'contrast-light', 'contrast-dark'];

/** A zone may be anything that this browser knows. */
function known(zone: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone });
    return true;
  } catch {
    return false;
  }
}

export function PreferencesPage() {
  const own = usePreferences();
  const views = useQuery(viewsRead());
  const set = (change: Partial<Preferences>) => void prefer(change);
  return (
    <PageView title={t('prefs.title')} lead={t('prefs.lead')}>
      <div className="cols even">
        <Panel title={t('prefs.look')}>
          <div className="stack">
            <NativeSelect label={t('prefs.theme')} value={own.theme ?? 'system'} data={THEMES.map((value) => ({ value, label: word('prefs.theme', value) }))} onChange={(event) => set({ theme: event.currentTarget.value as Theme })} />
            <NativeSelect label={t('prefs.density')} value={own.density ?? 'normal'} data={['normal', 'compact'].map((value) => ({ value, label: word('prefs.density', value) }))} onChange={(event) => set({ density: event.currentTarget.value as 'normal' | 'compact' })} />
            <Check checked={own.reduced_motion === true} onChange={(on) => set({ reduced_motion: on })}>{t('prefs.still')}</Check>
          </div>
        </Panel>
        <Panel title={t('prefs.words')}>
          <div className="stack">
            <NativeSelect label={t('prefs.language')} description={t('prefs.language_why')} value={own.language ?? locale} data={Object.entries(LOCALES).map(([value, label]) => ({ value, label }))} onChange={(event) => { void prefer({ language: event.currentTarget.value }).then(() => window.location.reload()); }} />
            <Zone />
          </div>
        </Panel>
        <Panel title={t('help.title')}>
          <div className="stack">
            <Check checked={own.keys !== false} onChange={(on) => set({ keys: on })}>{t('prefs.keys')}</Check>
            {KEY_GROUPS.map((group) => (
              <Check key={group} disabled={own.keys === false} checked={!own.keys_off?.includes(group)} onChange={(on) => set({ keys_off: switched(group, on) })}>{word('prefs.keys_group', group)}</Check>
            ))}
          </div>
        </Panel>
        <Panel title={t('views.title')} flush><Views query={views} /></Panel>
      </div>
    </PageView>
  );
}

function switched(group: KeyGroup, on: boolean): KeyGroup[] {
  const others = (kept().keys_off ?? []).filter((one) => one !== group);
  return on ? others : [...others, group];
}

function Zone() {
  const own = usePreferences();
  const [typed, setTyped] = useState(own.zone && own.zone !== 'local' ? own.zone : '');
  const fine = typed === '' || known(typed);
  return (
    <form className="row nowrap" style={{ alignItems: 'flex-start' }} onSubmit={(event) => { event.preventDefault(); if (fine) void prefer({ zone: typed === '' ? 'local' : typed }).then(() => window.location.reload()); }}>
      <TextInput className="grow" label={t('prefs.zone')} description={t('prefs.zone_why', { zone: Intl.DateTimeFormat().resolvedOptions().timeZone })} placeholder="UTC, Europe/Madrid" maxLength={64} value={typed} error={fine ? null : t('prefs.zone_unknown')} onChange={(event) => setTyped(event.currentTarget.value.trim())} />
      <div style={{ marginTop: 44 }}><Button type="submit" small plain disabled={!fine}>{t('prefs.zone_keep')}</Button></div>
    </form>
  );
}
