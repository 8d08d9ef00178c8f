// Preferences follow the person: kept at the node, remembered here.
import type { MantineColorScheme, MantineColorSchemeManager } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useSyncExternalStore } from 'react';
import { get, putJson } from '@/api/client';
import { chooseLocale, isLocale, locale } from '@/strings/locale';
import { keep, kept, onKept, schemeOf, type Preferences } from './kept';

interface Kept {
  version: number;
  preferences: Preferences;
}

export const preferencesRead = { queryKey: ['preferences'], queryFn: () => get<Kept>('/me/preferences'), staleTime: 60_000, retry: false };

export function usePreferences(): Preferences {
  return useSyncExternalStore(onKept, kept);
}

/** Changes some of them here at once, and at the node; where it is away or has nothing to keep, here alone. */
export async function prefer(change: { [K in keyof Preferences]?: Preferences[K] | undefined }): Promise<void> {
  // What is taken back is left out, not kept as nothing.
  const next = JSON.parse(JSON.stringify({ ...kept(), ...change })) as Preferences;
  keep(next);
  if (change.language !== undefined && isLocale(change.language)) chooseLocale(change.language);
  try {
    await putJson<Kept>('/me/preferences', { preferences: next });
  } catch {
    // The next start of this browser still has it.
  }
}

/** Takes the node's word for who is signed in. */
export function useKeptPreferences(): void {
  const heard = useQuery(preferencesRead);
  useEffect(() => {
    if (!heard.data || heard.data.version === 0) return;
    const theirs = heard.data.preferences;
    if (JSON.stringify(theirs) !== JSON.stringify(kept())) keep(theirs);
    if (isLocale(theirs.language) && theirs.language !== locale) {
      chooseLocale(theirs.language);
      // Texts are read before the first paint; nothing has been typed yet.
      window.location.reload();
    }
  }, [heard.data]);
}

/** Mantine asks here for light or dark; what contrast adds is ours alone. */
export const schemeManager: MantineColorSchemeManager = {
  get: () => schemeOf(kept().theme),
  set: (scheme: MantineColorScheme) => {
    if (scheme !== schemeOf(kept().theme)) void prefer({ theme: scheme === 'auto' ? 'system' : scheme });
  },
  subscribe: (tell) => {
    unsubscribe = onKept(() => tell(schemeOf(kept().theme)));
  },
  unsubscribe: () => unsubscribe(),
  clear: () => undefined,
};
let unsubscribe: () => void = () => undefined;
