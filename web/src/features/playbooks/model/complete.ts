// Names of variables, offered while a condition is typed: `__name__:value`.

export interface Offer { name: string; type: string; from: number; to: number }

/** What fits the name the caret stands at the end of. */
export function offersAt(source: string, caret: number, variables: { name: string; type: string }[]): Offer[] {
  const begun = /(?:^|[^\w$'-])(\$\$)?(_[\w-]*)$/.exec(source.slice(0, caret));
  if (!begun) return [];
  // Within a text in quotes nothing is a name.
  if ((source.slice(0, caret).split("'").length - 1) % 2 === 1) return [];
  const typed = begun[2] ?? '';
  const bare = (name: string) => name.toLowerCase().replace(/^_+/, '');
  return variables.filter((one) => bare(one.name).startsWith(bare(typed)) && one.name !== typed).map((one) => ({ ...one, from: caret - typed.length, to: caret }));
}

export function completed(source: string, offer: Offer): { text: string; caret: number } {
  const rest = source.slice(offer.to);
  const written = `${offer.name}${rest.startsWith(':') ? '' : ':value'}`;
  return { text: source.slice(0, offer.from) + written + rest, caret: offer.from + written.length };
}
