// A change to the node: says while it works, says what went wrong, refreshes what it touched.
import { useMutation, useQueryClient } from '@tanstack/react-query';

export function useAct<V = void, R = unknown>(run: (values: V) => Promise<R>, roots: string[], done?: (result: R) => void) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: run,
    onSuccess: async (result) => {
      done?.(result);
      await Promise.all(roots.map((root) => client.invalidateQueries({ queryKey: [root] })));
    },
  });
}
