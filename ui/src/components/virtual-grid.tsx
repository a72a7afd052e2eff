import { defaultRangeExtractor, type Range, useWindowVirtualizer } from '@tanstack/react-virtual';
import { type KeyboardEvent, type ReactNode, useEffect, useLayoutEffect, useRef, useState } from 'react';
import { useLayout } from '../use-layout.ts';

/** The sizes of a cell, in rem; its height is `aspect` times its width, and `extra`. */
export interface CellSize {
  readonly least: number;
  readonly aspect: number;
  readonly extra: number;
  readonly gap: number;
}
interface VirtualGridProps {
  readonly className: string;
  readonly label: string;
  /** Asked whenever the list is laid out: another width may want other cells. */
  readonly size: () => CellSize;
  readonly count: number;
  /** Whether there are more than `count`. */
  readonly more: boolean;
  readonly keyOf: (index: number) => string;
  readonly indexOf: (key: string) => number;
  readonly cell: (index: number) => ReactNode;
  /** Hears which places can be seen. */
  readonly onShow: (first: number, last: number) => void;
  /** The cell to bring into view and, when that ends, to give the focus to; null: none. */
  readonly active: string | null;
}

/** Rows drawn beyond the edges of the window. */
const overscan = 2;

/** How far a key goes; the ends of the list are far enough away. */
const step = (key: string, columns: number, page: number): number | undefined =>
  ({
    ArrowLeft: -1,
    ArrowRight: 1,
    ArrowUp: -columns,
    ArrowDown: columns,
    PageUp: -columns * page,
    PageDown: columns * page,
    Home: Number.NEGATIVE_INFINITY,
    End: Number.POSITIVE_INFINITY,
  })[key];

/**
 * A list in columns of which only what can be seen is in the document, and the cell that has the focus. Arrow keys, Home,
 * End and the page keys move the focus.
 */
export const VirtualGrid = (props: VirtualGridProps) => {
  const { className, label, count, more, keyOf, indexOf, cell, onShow, active } = props;
  const list = useRef<HTMLUListElement>(null);
  const { width, top, rem } = useLayout(list);
  const [focused, setFocused] = useState<string | null>(null);
  const wanted = useRef<number | null>(null);

  const size = props.size();
  const gap = size.gap * rem;
  const columns = Math.max(1, Math.floor((width + gap) / (size.least * rem + gap)));
  const cellWidth = (width - gap * (columns - 1)) / columns;
  const height = Math.round(cellWidth * size.aspect + size.extra * rem);
  const rows = Math.ceil(count / columns);
  const kept = focused === null ? -1 : Math.floor(indexOf(focused) / columns);

  const virtualizer = useWindowVirtualizer({
    count: rows,
    estimateSize: () => height,
    gap,
    overscan,
    scrollMargin: top,
    rangeExtractor: (range: Range) => {
      const shown = defaultRangeExtractor(range);
      return kept < 0 || kept >= rows || shown.includes(kept) ? shown : [...shown, kept];
    },
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: another height makes every row another one
  useLayoutEffect(() => virtualizer.measure(), [height, gap]);

  const { startIndex = 0, endIndex = 0 } = virtualizer.range ?? {};
  const first = startIndex * columns;
  const last = Math.max(first, (endIndex + 1) * columns - 1);
  // Before the width is known nothing can be said.
  const known = width > 0 && virtualizer.range !== null;
  // biome-ignore lint/correctness/useExhaustiveDependencies: a list that has grown or shrunk shows other images at the same places
  useEffect(() => {
    if (known) onShow(first, last);
  }, [known, first, last, count, onShow]);

  // A window of another width has other rows: what was at its top stays there.
  const before = useRef({ columns, first });
  useLayoutEffect(() => {
    const was = before.current;
    if (was.columns !== columns && was.first > 0) {
      virtualizer.scrollToIndex(Math.floor(was.first / columns), { align: 'start' });
    } else before.current = { columns, first };
    before.current.columns = columns;
  }, [columns, first, virtualizer]);

  const focusOn = (index: number) => {
    wanted.current = index;
    setFocused(keyOf(index));
    virtualizer.scrollToIndex(Math.floor(index / columns), { align: 'auto' });
  };
  useLayoutEffect(() => {
    if (wanted.current === null) return;
    const target = list.current?.querySelector<HTMLElement>(`[data-index="${wanted.current}"] a`);
    if (!target) return;
    wanted.current = null;
    target.focus({ preventScroll: true });
  });

  const shown = useRef<string | null>(active);
  // biome-ignore lint/correctness/useExhaustiveDependencies: only another active cell is brought into view
  useEffect(() => {
    const was = shown.current;
    shown.current = active;
    const index = indexOf(active ?? was ?? '');
    if (index < 0) return;
    if (active !== null && was !== null) {
      virtualizer.scrollToIndex(Math.floor(index / columns), { align: 'auto' });
    } else if (active === null && was !== null) focusOn(index);
  }, [active]);

  const onKeyDown = (event: KeyboardEvent) => {
    const at = (event.target as HTMLElement).closest<HTMLElement>('[data-index]')?.dataset.index;
    const page = Math.max(1, endIndex - startIndex);
    const by = step(event.key, columns, page);
    if (at === undefined || by === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    focusOn(Math.min(count - 1, Math.max(0, Number(at) + by)));
  };

  return (
    <ul
      ref={list}
      className={`virtual ${className}`}
      aria-label={label}
      style={{ blockSize: virtualizer.getTotalSize() }}
      onKeyDown={onKeyDown}
      onFocus={(event) => {
        const at = (event.target as HTMLElement).closest<HTMLElement>('[data-index]')?.dataset.index;
        if (at !== undefined) setFocused(keyOf(Number(at)));
      }}
      onBlur={() => setFocused(null)}
    >
      {virtualizer.getVirtualItems().flatMap((row) =>
        Array.from({ length: Math.min(columns, count - row.index * columns) }, (_, column) => {
          const index = row.index * columns + column;
          return (
            <li
              key={keyOf(index)}
              data-index={index}
              aria-posinset={index + 1}
              aria-setsize={more ? -1 : count}
              style={{
                inlineSize: cellWidth,
                blockSize: height,
                transform: `translate(${column * (cellWidth + gap)}px, ${row.start - top}px)`,
              }}
            >
              {cell(index)}
            </li>
          );
        }),
      )}
    </ul>
  );
};
