import './app/mantine.css';
import './app/tokens.css';
import './app/base.css';
import { MantineProvider } from '@mantine/core';
import { QueryCache, QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { ApiError } from './api/client';
import { enterByLink } from './app/enter';
import { router } from './app/router';
import { schemeManager } from './app/preferences';
import { theme } from './app/theme';

const RETRIES = 2;

const client: QueryClient = new QueryClient({
  queryCache: new QueryCache({
    onError: (error, query) => {
      // The session ended: the node's answer about who we are decides what to show.
      if (error instanceof ApiError && error.problem.status === 401 && query.queryKey[0] !== 'node') {
        void client.invalidateQueries({ queryKey: ['node'] });
      }
    },
  }),
  defaultOptions: {
    queries: {
      staleTime: 2_000,
      refetchOnWindowFocus: false,
      retry: (failures, error) => !(error instanceof ApiError && error.problem.status >= 400 && error.problem.status < 500) && failures < RETRIES,
    },
  },
});

const place = document.getElementById('root');
if (place) {
  await enterByLink();
  createRoot(place).render(
    <StrictMode>
      <MantineProvider theme={theme} colorSchemeManager={schemeManager} defaultColorScheme="auto">
        <QueryClientProvider client={client}>
          <RouterProvider router={router} />
        </QueryClientProvider>
      </MantineProvider>
    </StrictMode>,
  );
}
