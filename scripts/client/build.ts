// npm run build:client: makes dist/client, which other programs get as `gantry/client` from a linked clone.
import { fileURLToPath } from 'node:url';
import { makeClientPackage } from './package.ts';

makeClientPackage(fileURLToPath(new URL('../../dist/client', import.meta.url)));
