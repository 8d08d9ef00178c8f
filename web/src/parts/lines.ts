/** Breaks a text at its spaces into at most `most` lines of `letters` letters; what does not fit ends in "…". */
export function linesOf(text: string, letters: number, most: number): string[] {
  const room = Math.max(4, Math.floor(letters));
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (longer.length <= room || line === '') line = longer;
    else {
      lines.push(line);
      line = word;
    }
  }
  lines.push(line);
  const kept = lines.slice(0, Math.max(1, most));
  const cut = lines.length > kept.length;
  return kept.map((one, index) => {
    const last = cut && index === kept.length - 1;
    if (one.length > room || (last && one.length + 1 > room)) return `${one.slice(0, room - 1)}…`;
    return last ? `${one}…` : one;
  });
}
