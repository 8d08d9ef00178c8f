// What a manual step asks a person to do.
import { decoded } from './base64';
import { isObj, objects, text, workflowOf } from './document';

interface Asking { step: string; arguments: Record<string, unknown> | null }

/** From the run, where it says so with its variables filled in; else from the playbook as it is written. */
export function instructionOf(step: Asking, playbook: unknown): string | null {
  const told = text(step.arguments?.instruction) || text(step.arguments?.command);
  if (told !== '') return told;
  const written = isObj(playbook) ? workflowOf(playbook)[step.step] : undefined;
  const lines = objects(written?.commands)
    .filter((command) => command.type === 'manual')
    .map((command) => text(command.command) || decoded(text(command.command_b64)) || text(command.description))
    .filter((line) => line !== '');
  return lines.join('\n') || text(written?.description) || null;
}
