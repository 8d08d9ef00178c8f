// The link that `sereno demo` prints carries a name and a password behind `#`, which browsers never
// send to a server. The page trades them for a session and forgets them.
import { post } from '@/api/client';

const LINK = /^#enter=([^:]+):(.+)$/;

/** Signs in by the link, if this is one; otherwise, or when it no longer works, changes nothing. */
export async function enterByLink(): Promise<void> {
  const [, name, password] = LINK.exec(window.location.hash) ?? [];
  if (!name || !password) return;
  window.history.replaceState(null, '', window.location.pathname + window.location.search);
  try {
    await post('/sign-in', { name: decodeURIComponent(name), password: decodeURIComponent(password) });
  } catch {
    // The sign-in page shows itself and says what to do.
  }
}
