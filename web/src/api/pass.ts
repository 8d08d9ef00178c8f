// A token that came with the address (`/#enter=TOKEN`): a link from the command line signs its reader in.
// What stands behind `#` never reaches a server or its logs. It is taken out of the address at once and kept
// for this tab alone; signing out, or closing the tab, forgets it. People otherwise sign in with a password
// and get a cookie that no script can read.

const KEY = 'sereno-pass';
const SHAPE = /^#enter=([A-Za-z0-9_-]{16,512})$/;

/** The token in an address's fragment, if there is one. */
export function passIn(fragment: string): string | null {
  return SHAPE.exec(fragment)?.[1] ?? null;
}

function stored(): string | null {
  try {
    return sessionStorage.getItem(KEY);
  } catch {
    return null;
  }
}

let pass: string | null = typeof window === 'undefined' ? null : (passIn(window.location.hash) ?? stored());

/** Takes the token out of the address bar and the history; call before anything is asked. */
export function takePass(): void {
  if (passIn(window.location.hash) === null) return;
  window.history.replaceState(window.history.state, '', window.location.pathname + window.location.search);
  try {
    if (pass) sessionStorage.setItem(KEY, pass);
  } catch {
    // Without storage the token lives until the page is loaded again.
  }
}

export function currentPass(): string | null {
  return pass;
}

export function forgetPass(): void {
  pass = null;
  try {
    sessionStorage.removeItem(KEY);
  } catch {
    // Nothing was kept.
  }
}
