// Reads what is to be shown from a CACAO v2 playbook; anything that is not there is left out.

export interface PlaybookStep {
  id: string;
  name: string;
  type: string;
  commands: string[];
  next: string[];
}

type Raw = Record<string, unknown>;
const NEXT = ['on_completion', 'on_success', 'on_failure', 'on_true', 'on_false'] as const;
/** More steps than this are not walked; a playbook may be a ring. */
const MAX_STEPS = 500;

/** The steps in the order a run without failures takes them, then those reached otherwise. */
export function stepsOf(playbook: unknown): PlaybookStep[] {
  const raw = playbook as { workflow?: Record<string, Raw>; workflow_start?: string };
  const workflow = raw.workflow ?? {};
  const nameOf = (id: string) => text(workflow[id]?.name) ?? text(workflow[id]?.type) ?? id;
  const order: string[] = [];
  const open = raw.workflow_start ? [raw.workflow_start] : [];
  while (open.length > 0 && order.length < MAX_STEPS) {
    const id = open.shift();
    if (id === undefined || order.includes(id) || !workflow[id]) continue;
    order.push(id);
    open.push(...nextOf(workflow[id]));
  }
  const rest = Object.keys(workflow).filter((id) => !order.includes(id)).slice(0, MAX_STEPS);
  return [...order, ...rest].map((id) => ({
    id,
    name: nameOf(id),
    type: text(workflow[id]?.type) ?? '',
    commands: commandsOf(workflow[id]),
    next: nextOf(workflow[id]).map(nameOf),
  }));
}

function text(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

function nextOf(step: Raw | undefined): string[] {
  return NEXT.flatMap((name) => text(step?.[name]) ?? []);
}

function commandsOf(step: Raw | undefined): string[] {
  if (text(step?.condition)) return [String(step?.condition)];
  const commands = Array.isArray(step?.commands) ? (step.commands as Raw[]) : [];
  return commands.map((command) => text(command.command) ?? text(command.description) ?? text(command.type) ?? '').filter((line) => line !== '');
}
