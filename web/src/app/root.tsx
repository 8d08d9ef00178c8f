import { useNavigate, useRouterState } from '@tanstack/react-router';
import { lazy, Suspense, useEffect, useRef } from 'react';
import { Failed, Ghost } from '@/parts/page';
import { Frame } from './frame';
import { session, useSession } from '@/api/session';
import { rest } from '@/strings/t';
import { useNode } from './session';

const FirstRun = lazy(() => rest.then(() => import('@/features/identity/first-run')));
const Again = lazy(() => import('./again'));
const SignIn = lazy(() => rest.then(() => import('@/features/identity/sign-in')));

/** The door of the house: first run, sign-in, or the frame with its pages. */
export function Root() {
  const node = useNode();
  const path = useRouterState({ select: (state) => state.location.pathname });
  const navigate = useNavigate();
  const here = node.data?.signed_in?.user;
  const { person, asking } = useSession();
  // A page is not taken away because its session ended: the last answer stands until somebody has signed in again or left.
  const last = useRef(node.data);
  if (here !== undefined) last.current = node.data;
  const inside = here !== undefined || (person !== null && last.current !== undefined);
  useEffect(() => {
    if (here !== undefined) session.here(here);
    else if (node.data && !node.isFetching && person !== null) void session.ask();
  }, [here, node.data, node.isFetching, person]);
  // Who came by a link may be inside before there is any account; the first one is still to be made.
  const fresh = node.data?.first_run === true;
  useEffect(() => {
    // Whoever is signed in has no business at the door.
    if (inside && (path === '/sign-in' || (path === '/first-run' && !fresh))) void navigate({ to: '/', replace: true });
  }, [inside, fresh, path, navigate]);
  if (!node.data) {
    return <main className="door-page">{node.isError ? <Failed error={node.error} retry={node.refetch} /> : <div className="panel"><Ghost rows={5} /></div>}</main>;
  }
  if (inside && !(fresh && path === '/first-run')) return <><Frame info={last.current ?? node.data} />{asking && <Suspense><Again /></Suspense>}</>;
  return <Suspense>{node.data.first_run ? <FirstRun /> : <SignIn info={node.data} />}</Suspense>;
}
