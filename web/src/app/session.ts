// Who is looking, and what they may do.
import { useQuery } from '@tanstack/react-query';
import { reads } from '@/api/queries';

export function useNode() {
  return useQuery({ ...reads.node(), refetchInterval: 30_000 });
}

/** True when the signed-in person holds the permission; unknown while it is being asked. */
export function useMay(permission: string): boolean {
  const me = useQuery(reads.me());
  if (!me.data) return false;
  return me.data.roles.includes('administrator') || me.data.permissions.includes(permission);
}
