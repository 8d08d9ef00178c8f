// Fields in base64 are shown decoded. A field that is not the base64 of a text is shown as it is, and
// what nobody changed is never written anew.

/** The text in a base64 field, or null where it is none. */
export function decoded(field: string): string | null {
  try {
    const bytes = Uint8Array.from(atob(field), (letter) => letter.charCodeAt(0));
    const found = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    return encoded(found) === field.trim() ? found : null;
  } catch {
    return null;
  }
}

export function encoded(value: string): string {
  return btoa(Array.from(new TextEncoder().encode(value), (byte) => String.fromCharCode(byte)).join(''));
}
