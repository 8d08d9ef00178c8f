// A change to the node: says while it works, says what went wrong, refreshes what it touched.
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { toast } from '@/app/undo';

/** How an act is taken back. */
export interface Inverse<V, R> {
  /** What was done, for the line that offers it. */
  text: (values: V, result: R) => string;
  run: (values: V, result: R) => Promise<unknown>;
}

export function useAct<V = void, R = unknown>(run: (values: V) => Promise<R>, roots: string[], done?: (result: R) => void, inverse?: Inverse<V, R>) {
  const client = useQueryClient();
  const renew = () => Promise.all(roots.map((root) => client.invalidateQueries({ queryKey: [root] })));
  return useMutation({
    mutationFn: run,
    onSuccess: async (result, values) => {
      done?.(result);
      if (inverse) toast(inverse.text(values, result), { back: async () => { await inverse.run(values, result); await renew(); } });
      await renew();
    },
  });
}
