import { fileURLToPath } from 'node:url';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';
import { texts } from './scripts/texts.mjs';

const backend = process.env.SERENO_URL ?? 'http://127.0.0.1:4600';

export default defineConfig({
  plugins: [react(), texts()],
  resolve: { alias: { '@': fileURLToPath(new URL('./src', import.meta.url)) } },
  build: { manifest: true, target: 'es2023', assetsInlineLimit: 0, chunkSizeWarningLimit: 700 },
  preview: { proxy: { '/api': backend, '/taxii2': backend } },
  server: { proxy: { '/api': backend, '/taxii2': backend } },
  test: { include: ['src/**/*.test.ts'] },
} as Parameters<typeof defineConfig>[0]);
