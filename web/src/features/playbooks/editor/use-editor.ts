// The draft: what it began with, its past for undo, and its copy in the browser.
import { useCallback, useEffect, useMemo, useReducer, useRef, useState } from 'react';
import { equal, text, type Doc } from '../model/document';
import { dropDraft, keepDraft, readDraft, type Draft } from '../model/draft';
import { change, historyOf, redo, undo, type History } from '../model/history';

const KEEP_MS = 300;

type Act = { do: 'change'; next: Doc; what: string | null; at: number } | { do: 'undo' } | { do: 'redo' };

function reduce(history: History, act: Act): History {
  if (act.do === 'undo') return undo(history);
  if (act.do === 'redo') return redo(history);
  return change(history, act.next, act.what, act.at);
}

export interface Editor {
  doc: Doc;
  base: Doc;
  changed: boolean;
  edit: (next: Doc, what?: string | null) => void;
  undo: (() => void) | null;
  redo: (() => void) | null;
  /** The draft that was found in this browser when the page was opened. */
  found: Draft | null;
  /** The stored version changed since the draft was begun. */
  overtaken: boolean;
  /** The browser keeps the draft. */
  kept: boolean;
  discard: () => void;
  /** It is stored: the draft is dropped. */
  done: () => void;
}

export function useEditor(key: string, base: Doc, stored: boolean): Editor {
  const [found, setFound] = useState(() => {
    const draft = readDraft(key, localStorage);
    return draft && !equal(draft.doc, base) ? draft : null;
  });
  const [history, act] = useReducer(reduce, found?.doc ?? base, historyOf);
  const [kept, setKept] = useState(true);
  const over = useRef(false);
  const doc = history.now;
  const changed = useMemo(() => !equal(doc, base), [doc, base]);
  const version = stored ? text(base.modified) : null;
  const begun = found ? found.base : version;
  useEffect(() => {
    const timer = window.setTimeout(() => {
      if (over.current) return;
      if (changed) setKept(keepDraft(key, { doc, base: begun, at: Date.now() }, localStorage));
      else dropDraft(key, localStorage);
    }, KEEP_MS);
    return () => window.clearTimeout(timer);
  }, [key, doc, changed, begun]);
  const edit = useCallback((next: Doc, what: string | null = null) => act({ do: 'change', next, what, at: Date.now() }), []);
  const done = useCallback(() => {
    over.current = true;
    dropDraft(key, localStorage);
  }, [key]);
  return {
    doc, base, changed, edit, found, kept, done,
    undo: history.past.length > 0 ? () => act({ do: 'undo' }) : null,
    redo: history.future.length > 0 ? () => act({ do: 'redo' }) : null,
    overtaken: stored && found !== null && found.base !== version,
    discard: () => {
      act({ do: 'change', next: base, what: null, at: Date.now() });
      setFound(null);
    },
  };
}
