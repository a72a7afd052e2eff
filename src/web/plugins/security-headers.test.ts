import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openWeb } from '../web.testing.ts';

const host = 'gantry.example.com:5000';
const own = `http://${host}`;
const ours = 'https://app.example.com';

test('whoever reaches an open server, another page does not change anything on it', async (t) => {
  const environment = { GANTRY_HOST: '0.0.0.0', GANTRY_CORS_ORIGINS: ours };
  const { app } = await openWeb(t, { environment });
  const status = async (
    headers: Record<string, string>,
    method: 'GET' | 'POST' = 'POST',
  ): Promise<number> => {
    const url = method === 'POST' ? '/dead-letters/replay' : '/images';
    return (await app.inject({ method, url, headers: { host, ...headers } })).statusCode;
  };
  // Over plain HTTP, and to another machine, browsers send `origin` only.
  const others: Record<string, string>[] = [
    { origin: 'http://evil.example.com' },
    { origin: 'http://gantry.example.com' },
    { origin: 'http://gantry.example.com:5001' },
    { origin: 'null' },
    { origin: 'http://localhost:3000', 'sec-fetch-site': 'same-site' },
    { origin: own, 'sec-fetch-site': 'same-site' },
    { origin: own, 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
  ];
  for (const headers of others) assert.equal(await status(headers), 403, JSON.stringify(headers));
  const allowed: Record<string, string>[] = [
    {},
    { origin: own },
    { origin: own, 'sec-fetch-site': 'same-origin' },
    // A proxy that changes `host` leaves this word alone.
    { origin: 'https://pictures.example.com', 'sec-fetch-site': 'same-origin' },
    { origin: ours },
    { origin: ours, 'sec-fetch-site': 'cross-site' },
  ];
  for (const headers of allowed) assert.equal(await status(headers), 202, JSON.stringify(headers));
  for (const headers of others) assert.equal(await status(headers, 'GET'), 200, JSON.stringify(headers));
});
