// Writes the pages of docs/ that are generated from the code: npm run docs
import { writeFileSync } from 'node:fs';
import { configurationPage } from '../src/configuration-page.ts';

writeFileSync(new URL('../docs/configuration.md', import.meta.url), configurationPage());
