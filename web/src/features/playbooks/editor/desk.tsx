import { lazy, Suspense, useCallback, useEffect, useMemo, useState } from 'react';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { post } from '@/api/client';
import type { StoredPlaybook } from '@/api/types';
import { useMay } from '@/app/session';
import { typing } from '@/app/keys';
import { useAct } from '@/parts/act';
import { Failed, Ghost, PageView } from '@/parts/page';
import { Segments } from '@/parts/segments';
import { Button } from '@/parts/button';
import { t } from '@/strings/pages';
import { setAt, text, workflowOf, type Doc, type StepType } from '../model/document';
import { keepPlaces, readPlaces, type Places } from '../model/draft';
import { addStep, connect, newId, removeStep } from '../model/edit';
import { exitKinds, exitsOf, type ExitKind } from '../model/exits';
import type { Part } from '../model/place';
import { inOrder } from '../model/write';
import { readPlaybook } from '../model/read';
import { Changes } from './changes';
import { bring, DocumentView, download } from './document';
import './editor.css';
import { Pick } from './fields';
import { Notes } from './notes';
import { Outline } from './outline';
import { faultsOf, Report } from './report';
import { Side } from './side';
import { deletesQuietly } from './step-form';
import { useEditor } from './use-editor';
import { useReport } from './use-report';
import { stepTypes } from './words';

const Canvas = lazy(() => import('../canvas/canvas'));

type View = 'canvas' | 'list' | 'changes' | 'document';
interface Search { step?: string; view?: View; part?: Part }

interface DeskProps {
  draftKey: string;
  base: Doc;
  /** Its id here; null while it is not stored. */
  stored: string | null;
}

export function Desk({ draftKey, base, stored }: DeskProps) {
  const editor = useEditor(draftKey, base, stored !== null);
  const { doc, edit } = editor;
  const search = useSearch({ strict: false }) as Search;
  const navigate = useNavigate();
  const may = useMay('playbooks.write');
  const [places, setPlaces] = useState<Places>(() => readPlaces(draftKey, localStorage));
  const [asking, setAsking] = useState<string | null>(null);
  const [wrong, setWrong] = useState<string | null>(null);
  const asked = useReport(doc);
  const faults = useMemo(() => faultsOf(doc, asked), [doc, asked]);
  const view = search.view ?? 'canvas';
  const chosen = search.step && workflowOf(doc)[search.step] ? search.step : null;
  const part = search.part ?? (chosen ? 'step' : 'playbook');
  const go = useCallback((next: Search) => void navigate({ to: '.', search: (old: Search) => clean({ ...old, ...next }), replace: true } as never), [navigate]);
  const choose = useCallback((id: string | null) => go(id ? { step: id, part: undefined } as never : ({ step: undefined, part: undefined } as never)), [go]);
  const put = (next: Places) => {
    setPlaces(next);
    keepPlaces(draftKey, next, localStorage);
  };
  const remove = (id: string, sure: boolean) => {
    if (!sure && !deletesQuietly(doc, id)) {
      choose(id);
      setAsking(id);
      return;
    }
    setAsking(null);
    edit(removeStep(doc, id));
    choose(null);
  };
  const add = (type: StepType) => {
    const id = newId(type);
    edit(addStep(doc, type, id, chosen ?? undefined));
    choose(id);
  };
  const draw = (from: string, to: string) => {
    const way = freeWay(doc, from);
    if (!way || from === to) return;
    edit(connect(doc, from, { ...way, to }));
    choose(from);
  };
  const take = (read: ReturnType<typeof readPlaybook>) => {
    setWrong(read.why);
    if (!read.doc) return go({ view: 'document' });
    edit(read.doc);
    go({ view: 'canvas', ...({ step: undefined, part: undefined } as object) });
  };
  useUndo(editor.undo, editor.redo);
  const save = useAct(() => post<StoredPlaybook>('/playbooks', inOrder(setAt(doc, ['modified'], new Date().toISOString()))), ['playbooks'], (done) => {
    editor.done();
    void navigate({ to: '/playbooks/$id', params: { id: done.id } });
  });
  const name = text(doc.name);
  const reviewing = view === 'changes' || stored === null;
  const added = stored === null && !editor.changed;
  return (
    <PageView
      title={stored === null ? (name ? t('edit.title_new', { name }) : t('edit.new')) : t('edit.title', { name: name || stored })}
      crumb={{ to: stored ? `/playbooks/${stored}` : '/playbooks', text: stored ? t('playbook.one') : t('nav.playbooks') }}
      actions={
        <>
          <Button plain disabled={!editor.undo} onClick={() => editor.undo?.()}>{t('edit.undo')}</Button>
          <Button plain disabled={!editor.redo} onClick={() => editor.redo?.()}>{t('edit.redo')}</Button>
          <Button plain onClick={() => download(doc)}>{t('edit.export')}</Button>
          {may && !reviewing && <Button disabled={!editor.changed} onClick={() => go({ view: 'changes' })}>{t('edit.review')}</Button>}
          {may && reviewing && <Button busy={save.isPending} disabled={added || (!editor.changed && stored !== null)} onClick={() => save.mutate()}>{t('edit.save')}</Button>}
        </>
      }
    >
      <div className="stack">
        <Notes editor={editor} stored={stored !== null} may={may} wrong={view === 'document' ? null : wrong} />
        {save.isError && <Failed error={save.error} />}
        <Report doc={doc} asked={asked} onGo={(step, where) => go({ view: view === 'list' ? 'list' : 'canvas', step: step ?? undefined, part: where } as Search)} />
        <div className="cols desk">
          <section
            className="panel"
            aria-label={t('edit.workflow')}
            onDragOver={(event) => event.dataTransfer.types.includes('Files') && event.preventDefault()}
            onDrop={(event) => {
              const file = event.dataTransfer.files[0];
              if (!file) return;
              event.preventDefault();
              void bring(file).then(take);
            }}
          >
            <header>
              <Segments<View> label={t('edit.view')} value={view} options={[['canvas', t('edit.canvas')], ['list', t('edit.list')], ['changes', t('edit.changes')], ['document', t('edit.document')]]} onChange={(next) => go({ view: next })} />
              {(view === 'canvas' || view === 'list') && <div className="end"><Pick label={t('edit.add_step')} value="" none={chosen ? t('edit.add_behind') : t('edit.add_loose')} options={stepTypes()} onChange={(type) => type && add(type as StepType)} /></div>}
            </header>
            <div className="body flush">
              {view === 'canvas' && (
                <Suspense fallback={<Ghost rows={10} />}>
                  <Canvas doc={doc} label={t('edit.canvas_of')} chosen={chosen} onChoose={choose} onConnect={draw} onDelete={(id) => remove(id, false)} places={places} onPlaces={put} faults={faults} />
                </Suspense>
              )}
              {view === 'list' && <Outline doc={doc} chosen={chosen} onChoose={choose} onDelete={(id) => remove(id, false)} onAdd={() => add('action')} faults={faults} />}
              {view === 'changes' && <Changes base={base} doc={doc} chosen={chosen} onChoose={choose} />}
              {view === 'document' && <DocumentView doc={doc} wrong={wrong} onFile={(file) => void bring(file).then(take)} onText={(source) => take(readPlaybook(source))} />}
            </div>
          </section>
          <Side
            doc={doc} chosen={chosen} part={part} onPart={(next) => go({ part: next })} onChange={edit} onChoose={choose}
            asking={asking !== null && asking === chosen} onDelete={() => chosen && remove(chosen, false)}
            onAnswer={(yes) => (yes && asking ? remove(asking, true) : setAsking(null))}
          />
        </div>
      </div>
    </PageView>
  );
}

const clean = (search: object): object => Object.fromEntries(Object.entries(search).filter(([, value]) => value !== undefined));

/** The first way out of a step that is still free; the form beside the canvas changes it. */
function freeWay(doc: Doc, from: string): { kind: ExitKind; value?: string } | null {
  const step = workflowOf(doc)[from];
  const exits = exitsOf(step);
  const kinds = exitKinds(text(step?.type));
  const kind = kinds.find((one) => one === 'case' || one === 'next' || !exits.some((exit) => exit.kind === one));
  if (!kind) return null;
  if (kind !== 'case') return { kind };
  const values = new Set(exits.map((exit) => exit.value));
  let n = 1;
  while (values.has(String(n))) n += 1;
  return { kind, value: String(n) };
}

/** Ctrl-Z and Ctrl-Shift-Z (or Ctrl-Y), outside of fields: these have their own. */
function useUndo(undo: (() => void) | null, redo: (() => void) | null): void {
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (!(event.ctrlKey || event.metaKey) || typing(event.target)) return;
      const key = event.key.toLowerCase();
      const act = key === 'z' ? (event.shiftKey ? redo : undo) : key === 'y' ? redo : null;
      if (!act) return;
      event.preventDefault();
      act();
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, [undo, redo]);
}
