/** How well letters typed in order fit a text: higher is better, null when they do not. The beginnings of words count most. */
export function fit(typed: string, text: string): number | null {
  const wanted = typed.toLowerCase().replace(/\s+/g, '');
  const within = text.toLowerCase();
  if (wanted === '') return 0;
  const whole = within.indexOf(typed.trim().toLowerCase());
  if (whole >= 0) return 1000 - whole - text.length / 100 + (whole === 0 || /\s/.test(within[whole - 1] ?? '') ? 200 : 0);
  let score = 0;
  let at = -1;
  for (const letter of wanted) {
    const next = within.indexOf(letter, at + 1);
    if (next < 0) return null;
    const begins = next === 0 || /[\s&/-]/.test(within[next - 1] ?? '');
    score += begins ? 12 : next === at + 1 ? 8 : 0;
    score -= Math.min(6, next - at - 1);
    at = next;
  }
  return score - text.length / 100;
}
