import type { Scope } from '../access/api-key.ts';

/** What a route needs where there are API keys; `open`: nothing. */
export type Needed = Scope | 'open';

/** Who may do what, all of it. A route that stands nowhere here needs `admin`, and a test finds it. */
const routes: Readonly<Record<string, Needed>> = {
  'POST /upload': 'upload',
  'POST /uploads': 'upload',
  // For HEAD; there is no GET.
  'GET /uploads/:id': 'upload',
  'PATCH /uploads/:id': 'upload',
  // For one of the others.
  'POST /uploads/:id': 'upload',
  'DELETE /uploads/:id': 'upload',
  'OPTIONS /uploads': 'open',
  'OPTIONS /uploads/:id': 'open',
  'GET /images': 'read',
  'GET /images/:id': 'read',
  'GET /images/:id/timeline': 'read',
  'GET /images/:id/original': 'read',
  'GET /images/:id/thumbnail': 'read',
  'GET /images/:id/events': 'read',
  'GET /events': 'read',
  'GET /dead-letters': 'read',
  'GET /models': 'read',
  'GET /system': 'read',
  'GET /summary': 'read',
  'GET /openapi.json': 'read',
  'GET /metrics': 'read',
  'DELETE /images/:id': 'admin',
  'POST /images/:id/reprocess': 'admin',
  'POST /dead-letters/:id/replay': 'admin',
  'POST /dead-letters/replay': 'admin',
  // Health is asked by what has no key.
  'GET /healthz': 'open',
  'GET /readyz': 'open',
  'GET /session': 'open',
  'POST /session': 'open',
  'DELETE /session': 'open',
  // The page before anybody signed in; it holds no data.
  'GET /': 'open',
  'GET /index.html': 'open',
  'GET /favicon.svg': 'open',
  // Only to tell that a request is no preflight; those are answered before.
  'OPTIONS *': 'open',
};
const below: readonly (readonly [path: string, Needed])[] = [
  ['/assets/', 'open'],
  ['/docs', 'read'],
];

/** What the route of this pattern needs; undefined if nobody has decided. */
export const scopeOf = (method: string, pattern: string): Needed | undefined => {
  const reading = method === 'HEAD' ? 'GET' : method;
  const known = routes[`${reading} ${pattern}`];
  if (known !== undefined || reading !== 'GET') return known;
  return below.find(
    ([path]) => pattern === path || pattern.startsWith(path.endsWith('/') ? path : `${path}/`),
  )?.[1];
};
