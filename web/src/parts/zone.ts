// The time zone that wall times are shown in: the browser's, or the one that the person chose.
import { kept } from '@/app/kept';

/** For `Intl.DateTimeFormat`. */
export function zone(): { timeZone?: string } {
  const wanted = kept().zone;
  if (!wanted || wanted === 'local') return {};
  try {
    new Intl.DateTimeFormat('en', { timeZone: wanted });
    return { timeZone: wanted };
  } catch {
    // A zone that this browser does not know.
    return {};
  }
}

/** Its name where it is not the browser's own. */
export const zoneName = (): string | undefined => zone().timeZone;
