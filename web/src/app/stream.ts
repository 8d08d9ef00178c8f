// The line to the node. The browser reconnects by itself and says with Last-Event-ID where it stands,
// so that no fact is lost; where it gives up (refused, not merely cut), the line is opened anew.

export interface Ears {
  open: () => void;
  cut: () => void;
  event: (name: string, data: string) => void;
}

const PATH = '/api/v1/events';
const NAMES = ['fact', 'live'] as const;
const REOPEN_MS = 4000;

/** Listens until the returned function is called. */
export function openStream(ears: Ears): () => void {
  let source: EventSource;
  let timer: number | undefined;
  const open = () => {
    source = new EventSource(PATH);
    source.onopen = ears.open;
    for (const name of NAMES) source.addEventListener(name, (event) => ears.event(name, String(event.data)));
    source.onerror = () => {
      ears.cut();
      if (source.readyState !== EventSource.CLOSED) return;
      window.clearTimeout(timer);
      timer = window.setTimeout(open, REOPEN_MS);
    };
  };
  open();
  return () => {
    window.clearTimeout(timer);
    source.close();
  };
}
