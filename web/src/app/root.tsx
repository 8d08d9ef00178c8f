import { useNavigate, useRouterState } from '@tanstack/react-router';
import { lazy, Suspense, useEffect } from 'react';
import { Failed, Ghost } from '@/parts/page';
import { Frame } from './frame';
import { useNode } from './session';

const FirstRun = lazy(() => import('@/features/identity/first-run'));
const SignIn = lazy(() => import('@/features/identity/sign-in'));

/** The door of the house: first run, sign-in, or the frame with its pages. */
export function Root() {
  const node = useNode();
  const path = useRouterState({ select: (state) => state.location.pathname });
  const navigate = useNavigate();
  const inside = node.data !== undefined && node.data.signed_in !== null;
  // Who came by a link may be inside before there is any account; the first one is still to be made.
  const fresh = node.data?.first_run === true;
  useEffect(() => {
    // Whoever is signed in has no business at the door.
    if (inside && (path === '/sign-in' || (path === '/first-run' && !fresh))) void navigate({ to: '/', replace: true });
  }, [inside, fresh, path, navigate]);
  if (!node.data) {
    return <main className="door-page">{node.isError ? <Failed error={node.error} retry={node.refetch} /> : <div className="panel"><Ghost rows={5} /></div>}</main>;
  }
  if (inside && !(fresh && path === '/first-run')) return <Frame info={node.data} />;
  return <Suspense>{node.data.first_run ? <FirstRun /> : <SignIn info={node.data} />}</Suspense>;
}
