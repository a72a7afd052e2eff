import type { Frame, Owner } from './cpu-profile.ts';

const width = 1200;
const rowHeight = 18;
const margin = 10;
const headHeight = 54;
/** Pixels below which a frame is left out, with what it called. */
const leastWidth = 2;
/** Pixels a character takes, and a frame at least so that its name is written in it. */
const charWidth = 6.3;
const leastNamed = 30;

const colours: Readonly<Record<Owner, { fill: string; about: string }>> = {
  gantry: { fill: '#f4a261', about: 'Gantry' },
  package: { fill: '#8ecae6', about: 'packages' },
  node: { fill: '#a7c957', about: 'Node.js' },
  native: { fill: '#cfcfd4', about: 'native code, system calls, garbage collection' },
};

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
const pixels = (value: number): string => `${Math.round(value * 10) / 10}`;

const depthOf = ({ children }: Frame, scale: number): number =>
  1 +
  Math.max(
    0,
    ...children.filter(({ totalMs }) => totalMs * scale >= leastWidth).map((c) => depthOf(c, scale)),
  );

/**
 * A flame graph as SVG, callers above what they call, the longest at the left
 * (https://www.brendangregg.com/flamegraphs.html). A frame's width is its share of the time, its tooltip says how much.
 */
export const flameGraph = (all: Frame, title: string): string => {
  const scale = (width - 2 * margin) / all.totalMs;
  const height = headHeight + depthOf(all, scale) * rowHeight + margin;
  const drawn: string[] = [];

  const draw = (frame: Frame, x: number, depth: number): void => {
    const across = frame.totalMs * scale;
    if (across < leastWidth) return;
    const y = headHeight + depth * rowHeight;
    const share = `${((100 * frame.totalMs) / all.totalMs).toFixed(1)} %`;
    const fits = Math.floor((across - 6) / charWidth);
    const name = frame.name.length > fits ? `${frame.name.slice(0, Math.max(1, fits - 1))}…` : frame.name;
    const text =
      across < leastNamed
        ? ''
        : `<text x="${pixels(x + 3)}" y="${y + rowHeight - 5}">${escaped(name)}</text>`;
    drawn.push(
      `<g><title>${escaped(`${frame.name}: ${share}`)}</title><rect x="${pixels(x)}" y="${y}" width="${pixels(across - 0.5)}" height="${rowHeight - 1}" fill="${colours[frame.owner].fill}"/>${text}</g>`,
    );
    let at = x;
    for (const child of frame.children) {
      draw(child, at, depth + 1);
      at += child.totalMs * scale;
    }
  };
  draw(all, margin, 0);

  let at = margin;
  const legend = Object.values(colours).map(({ fill, about }) => {
    const x = at;
    at += 28 + about.length * charWidth;
    return `<rect x="${pixels(x)}" y="32" width="12" height="12" fill="${fill}"/><text x="${pixels(x + 17)}" y="42">${about}</text>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="ui-monospace, Menlo, Consolas, monospace" font-size="10.5" fill="#222">`,
    `<title>${escaped(title)}</title>`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    `<text x="${margin}" y="20" font-size="14">${escaped(title)}</text>`,
    ...legend,
    ...drawn,
    '</svg>\n',
  ].join('\n');
};
