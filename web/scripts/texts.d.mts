import type { Plugin } from 'vite';
export const FRAME: string[];
export function texts(): Plugin;
