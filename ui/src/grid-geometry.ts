import type { Layout } from './use-layout.ts';

/** The sizes of a cell, in rem; its height is `aspect` times its width, and `extra`. */
export interface CellSize {
  readonly least: number;
  readonly aspect: number;
  readonly extra: number;
  readonly gap: number;
}
/** Where the cells of a grid lie, in pixels. */
export interface Geometry {
  readonly columns: number;
  readonly width: number;
  readonly height: number;
  readonly gap: number;
  /** Of the first row, from the top of the page. */
  readonly top: number;
}
/** The cell at the upper edge of the window. */
export interface Edge {
  readonly index: number;
  /** Pixels of its row that are above the window, of so many that a row has with its gap. */
  readonly cut: number;
  readonly row: number;
}

/** As many columns as fit, which share the width. */
export const geometryOf = ({ width, top, rem }: Layout, size: CellSize): Geometry => {
  const gap = size.gap * rem;
  const columns = Math.max(1, Math.floor((width + gap) / (size.least * rem + gap)));
  const cell = (width - gap * (columns - 1)) / columns;
  return { columns, width: cell, height: Math.round(cell * size.aspect + size.extra * rem), gap, top };
};

/** What is at the window's edge on a page that is scrolled so far. */
export const edgeAt = ({ columns, height, gap, top }: Geometry, offset: number): Edge => {
  const row = height + gap;
  const below = Math.max(0, offset - top);
  const above = Math.floor(below / row);
  return { index: above * columns, cut: below - above * row, row };
};

/** How far the page has to be scrolled for that; of a row of another height the same share is cut off. */
export const offsetOf = ({ columns, height, gap, top }: Geometry, { index, cut, row }: Edge): number =>
  top + Math.floor(index / columns) * (height + gap) + cut * ((height + gap) / row);

/** How tall the grid is with so many cells. */
export const blockSizeOf = ({ columns, height, gap }: Geometry, count: number): number =>
  Math.max(0, Math.ceil(count / columns) * (height + gap) - gap);
