// npm run pack:client -- [--out dist]: makes an archive of the client alone, for npm install.
import { stdout } from 'node:process';
import { parseArgs } from 'node:util';
import { packClient } from './archive.ts';

const { values } = parseArgs({ options: { out: { type: 'string', default: 'dist' } } });
stdout.write(`${packClient(values.out)}\n`);
