import { writeSync } from 'node:fs';
import { newImage } from './contract/samples.ts';
import { openSqliteStore } from './sqlite.ts';

// Accepts uploads of eight images, as many as asked or until it is killed; prints the IDs of each once it is accepted.
const [, , file = '', uploads = 'Infinity'] = process.argv;
const store = await openSqliteStore(file);
for (let n = 0; n < Number(uploads); n++) {
  const images = Array.from({ length: 8 }, () => newImage());
  await store.accept([{ images }], 0);
  writeSync(1, `${images.map(({ id }) => id).join(' ')}\n`);
}
await store.close();
