// Asks the node about the draft while it is typed.
import { useEffect, useRef, useState } from 'react';
import { post } from '@/api/client';
import type { PlaybookReport } from '@/api/types';
import type { Doc } from '../model/document';

const DEBOUNCE_MS = 300;
/** After a failure it is asked again by itself. */
const AGAIN_MS = 10_000;

export interface Asked {
  report: PlaybookReport | null;
  /** The report is of an older draft. */
  old: boolean;
  error: unknown;
}

export function useReport(doc: Doc): Asked {
  const [asked, setAsked] = useState<Asked & { of: Doc | null }>({ report: null, old: true, error: null, of: null });
  const turn = useRef(0);
  const [again, setAgain] = useState(0);
  useEffect(() => {
    turn.current += 1;
    const mine = turn.current;
    let later: number | undefined;
    const timer = window.setTimeout(() => {
      post<PlaybookReport>('/playbooks/validate', doc).then(
        (report) => mine === turn.current && setAsked({ report, old: false, error: null, of: doc }),
        (error: unknown) => {
          if (mine !== turn.current) return;
          setAsked((last) => ({ ...last, error }));
          later = window.setTimeout(() => setAgain((n) => n + 1), AGAIN_MS);
        },
      );
    }, DEBOUNCE_MS);
    return () => {
      window.clearTimeout(timer);
      window.clearTimeout(later);
    };
  }, [doc, again]);
  return { report: asked.report, old: asked.of !== doc, error: asked.error };
}
