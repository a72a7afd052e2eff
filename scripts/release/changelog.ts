import { readFileSync } from 'node:fs';
import type { Version } from './tag.ts';

/**
 * What CHANGELOG.md says of a version; undefined if it has no part of its own there. A version to be tried has what is
 * not released yet.
 */
export const changesOf = (version: Version): string | undefined => {
  const text = readFileSync(new URL('../../CHANGELOG.md', import.meta.url), 'utf8');
  const wanted = version.toBeTried ? [version.full, 'Unreleased'] : [version.full];
  const parts = text.split(/^## /m).map((part) => {
    const [heading = '', ...lines] = part.split('\n');
    return { heading: heading.trim().split(' ')[0], text: lines.join('\n').trim() };
  });
  return wanted.flatMap((name) => parts.filter(({ heading }) => heading === name))[0]?.text;
};
