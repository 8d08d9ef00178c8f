// The real description of the API: the page must be usable with all of it.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const description = JSON.parse(readFileSync(fileURLToPath(new URL('../../openapi.json', import.meta.url)), 'utf8'));
