// What validation says, and where: "/workflow/action--…/commands/0: 'type' is missing".
import { workflowOf, type Doc } from './document';

export interface Said {
  text: string;
  /** The place as a JSON pointer, where it was told. */
  place: string | null;
  /** The step it is about. */
  step: string | null;
  /** The form it is about. */
  part: Part;
}

export type Part = 'step' | 'playbook' | 'variables' | 'agents' | 'targets';

const PARTS: Record<string, Part> = { workflow: 'step', playbook_variables: 'variables', agent_definitions: 'agents', authentication_info_definitions: 'agents', target_definitions: 'targets' };

export function said(line: string, doc: Doc): Said {
  const flow = workflowOf(doc);
  const pointer = /^(\/[^\s:]*): ([\s\S]*)$/.exec(line);
  const [root, name] = (pointer?.[1] ?? '').split('/').slice(1).map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
  // Ability speaks of "step 'Block it' (action--…)".
  const named = /\(([a-z0-9-]+--[0-9a-f-]+)\)/.exec(line)?.[1];
  const step = [root === 'workflow' ? name : undefined, named].find((id) => id !== undefined && Object.hasOwn(flow, id)) ?? null;
  return { text: pointer?.[2] ?? line, place: pointer?.[1] ?? null, step, part: step ? 'step' : (PARTS[root ?? ''] ?? 'playbook') };
}
