// The list of steps: the canvas for the keyboard and for ears. Its rows are walked with j and k or the
// arrow keys, opened with Enter, added to with Insert, taken out with Delete.
import { Mark as Form } from '@/parts/icon';
import { t, tn } from '@/strings/pages';
import { exitWord, stepWord, typeWord, type Mark } from '../canvas/look';
import { text, workflowOf, type Doc } from '../model/document';
import { exitKey, exitsOf, readingOrder } from '../model/exits';

interface OutlineProps {
  doc: Doc;
  chosen: string | null;
  onChoose: (id: string) => void;
  onDelete?: (id: string) => void;
  onAdd?: () => void;
  marks?: Map<string, Mark> | undefined;
  faults?: Map<string, number> | undefined;
}

export function Outline({ doc, chosen, onChoose, onDelete, onAdd, marks, faults }: OutlineProps) {
  const flow = workflowOf(doc);
  const ids = readingOrder(doc);
  const number = new Map(ids.map((id, index) => [id, index + 1]));
  const onKeyDown = (event: React.KeyboardEvent<HTMLOListElement>) => {
    const rows = [...event.currentTarget.querySelectorAll<HTMLElement>('[data-row]')];
    const at = rows.indexOf(document.activeElement as HTMLElement);
    const to: Record<string, number> = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: rows.length - 1 };
    if (event.key in to) rows[Math.max(0, Math.min(rows.length - 1, to[event.key] ?? 0))]?.focus();
    else if (event.key === 'Delete' && onDelete && ids[at]) onDelete(ids[at] ?? '');
    else if (event.key === 'Insert' && onAdd) onAdd();
    else return;
    event.preventDefault();
  };
  return (
    <ol className="outline" onKeyDown={onKeyDown} aria-label={t('edit.steps')}>
      {ids.map((id) => {
        const step = flow[id];
        const mark = marks?.get(id);
        const count = faults?.get(id) ?? 0;
        return (
          <li key={id}>
            <button type="button" data-row aria-pressed={id === chosen} onClick={() => onChoose(id)}>
              <span className="num quiet">{number.get(id)}</span>
              <span className="grow">
                <span className="strong">{stepWord(id, step)}</span> {text(step?.name) !== '' && <span className="small quiet">{typeWord(text(step?.type))}</span>}
                {mark && <span className={`tag bare ${mark.tone}`}><Form shape={mark.shape} />{mark.word}</span>}
                {count > 0 && <span className="tag bare critical"><Form shape="triangle" />{tn('edit.faults', count)}</span>}
                <span className="outline-ways small soft">
                  {exitsOf(step).map((exit) => (
                    <span key={exitKey(id, exit)} className={exit.kind}>{exitWord(exit, text(step?.type))} → {number.has(exit.to) ? `${number.get(exit.to)} ${stepWord(exit.to, flow[exit.to])}` : t('edit.missing_step')}</span>
                  ))}
                </span>
              </span>
            </button>
          </li>
        );
      })}
    </ol>
  );
}
