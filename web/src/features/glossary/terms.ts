export interface Term {
  id: string;
  term: string;
  text: string;
}

/** The terms of the page: paragraphs that begin with a word in bold and a colon. */
export function termsOf(source: string): Term[] {
  return source.split(/\n{2,}/).flatMap((paragraph) => {
    const found = /^\*\*(.+?)\*\*: ([\s\S]+)$/.exec(paragraph.trim());
    const [, term = '', text = ''] = found ?? [];
    return found ? [{ id: term.toLowerCase().replace(/[^a-z0-9]+/g, '-'), term, text: text.replace(/\s+/g, ' ') }] : [];
  });
}
