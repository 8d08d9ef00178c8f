/** A sentence of the node as a sentence of the page: it begins with a capital letter, unless it begins with an address. */
export function sentence(text: string): string {
  return /^[a-z]+[\s,:;.!?’'(-]/.test(text) || /^[a-z]+$/.test(text) ? text.charAt(0).toUpperCase() + text.slice(1) : text;
}
