import { readFile } from 'node:fs/promises';
import type { openWeb } from './web.testing.ts';

export const cat = await readFile(new URL('../../test/fixtures/cats/chelsea.png', import.meta.url));
const tus = { 'tus-resumable': '1.0.0' };
/** The header of a piece. */
export const part = (offset: number) => ({
  ...tus,
  'content-type': 'application/offset+octet-stream',
  'upload-offset': String(offset),
});

type Server = Awaited<ReturnType<typeof openWeb>>;

/** Requests as a client of the protocol makes them, with a key or without; `more` headers with each. */
export const clientOf = ({ app }: Server, key?: string, more: Readonly<Record<string, string>> = {}) => {
  const all = { ...(key === undefined ? {} : { authorization: `Bearer ${key}` }), ...more };
  const create = (bytes = cat.length) =>
    app.inject({
      method: 'POST',
      url: '/uploads',
      headers: { ...tus, ...all, 'upload-length': String(bytes) },
    });
  return {
    create,
    created: async (bytes = cat.length): Promise<string> => `/${(await create(bytes)).headers.location}`,
    patch: (url: string, offset: number, payload: Buffer) =>
      app.inject({ method: 'PATCH', url, headers: { ...part(offset), ...all }, payload }),
    ask: (method: 'HEAD' | 'DELETE', url: string) => app.inject({ method, url, headers: { ...tus, ...all } }),
    /** A request that stands for another one. */
    override: (method: string | undefined, url: string, offset = 0, payload = Buffer.alloc(0)) => {
      const standsFor = method === undefined ? {} : { 'x-http-method-override': method };
      const body = payload.length > 0 ? { headers: { ...part(offset), ...all, ...standsFor }, payload } : {};
      return app.inject({ method: 'POST', url, headers: { ...tus, ...all, ...standsFor }, ...body });
    },
  };
};
