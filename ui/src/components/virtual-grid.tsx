import { defaultRangeExtractor, type Range, useWindowVirtualizer } from '@tanstack/react-virtual';
import {
  type KeyboardEvent,
  type ReactNode,
  useContext,
  useEffect,
  useLayoutEffect,
  useRef,
  useState,
} from 'react';
import { blockSizeOf, type CellSize, edgeAt, type Geometry, geometryOf } from '../grid-geometry.ts';
import { KeptListContext } from '../kept-lists.ts';
import { leaveAt, placeOf } from '../list-places.ts';
import { startOf, useKeptEdge, useOnLeave } from '../use-grid-place.ts';
import { useLayout } from '../use-layout.ts';

export type { CellSize };

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

const Cells = (props: VirtualGridProps & { readonly geometry: Geometry }) => {
  const { className, label, count, more, keyOf, indexOf, cell, onShow, active, geometry } = props;
  const { columns, width, height, gap, top } = geometry;
  const list = useRef<HTMLUListElement>(null);
  const { key: name } = useContext(KeptListContext);
  const [left] = useState(() => placeOf(name));
  const [focused, setFocused] = useState<string | null>(left?.focused || null);
  const wanted = useRef<number | null>(focused === null ? null : indexOf(focused));

  const rows = Math.ceil(count / columns);
  const kept = focused === null ? -1 : Math.floor(indexOf(focused) / columns);

  const virtualizer = useWindowVirtualizer({
    count: rows,
    estimateSize: () => height,
    gap,
    overscan,
    scrollMargin: top,
    initialOffset: () => startOf(left, geometry, count, indexOf),
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
  const known = virtualizer.range !== null;
  // biome-ignore lint/correctness/useExhaustiveDependencies: a list that has grown or shrunk shows other images at the same places
  useEffect(() => {
    if (known) onShow(first, last);
  }, [known, first, last, count, onShow]);

  useKeptEdge(geometry, virtualizer.scrollOffset ?? 0, virtualizer.scrollToOffset);

  useOnLeave(() => {
    const top = virtualizer.scrollOffset ?? 0;
    const edge = edgeAt(geometry, top);
    leaveAt(name, { ...edge, image: keyOf(edge.index), top, focused: focused ?? '' });
  });

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
      style={{ blockSize: blockSizeOf(geometry, count) }}
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
                inlineSize: width,
                blockSize: height,
                transform: `translate(${column * (width + gap)}px, ${row.index * (height + gap)}px)`,
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

/** Until it is measured a grid is taller than any place in it, so that the browser leaves the page where it is. */
const unmeasured = 10_000_000;

/**
 * A list in columns of which only what can be seen is in the document, and the cell that has the focus. Arrow keys, Home,
 * End and the page keys move the focus. It begins where the list was left.
 */
export const VirtualGrid = (props: VirtualGridProps) => {
  const frame = useRef<HTMLDivElement>(null);
  const layout = useLayout(frame);
  const measured = layout.width > 0;
  return (
    <div ref={frame} style={{ blockSize: measured ? undefined : unmeasured }}>
      {measured && <Cells {...props} geometry={geometryOf(layout, props.size())} />}
    </div>
  );
};
