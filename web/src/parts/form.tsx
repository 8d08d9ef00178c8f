// A form that does one act: what is asked for stands in a row, what went wrong and what came of it below.
import type { UseMutationResult } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { Failed } from './page';

interface ActFormProps<R> {
  act: UseMutationResult<R, Error, void>;
  children: ReactNode;
  /** Shown once it is done. */
  done?: (result: R) => ReactNode;
}

export function ActForm<R>({ act, children, done }: ActFormProps<R>) {
  return (
    <form
      className="stack"
      onSubmit={(event) => {
        event.preventDefault();
        act.mutate();
      }}
    >
      <div className="row" style={{ alignItems: 'flex-end' }}>{children}</div>
      {act.isError && <Failed error={act.error} />}
      {act.data !== undefined && done?.(act.data)}
    </form>
  );
}
