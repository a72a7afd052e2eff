import { type RefObject, useLayoutEffect, useState } from 'react';

/** Where an element lies on the page, in pixels, and what one rem is. */
export interface Layout {
  readonly width: number;
  /** From the top of the page. */
  readonly top: number;
  readonly rem: number;
}

// Not by its place in the window: millions of pixels down a page that is told with fractions that are not there.
const topOf = (element: HTMLElement): number => {
  const { offsetParent, offsetTop } = element;
  return offsetTop + (offsetParent instanceof HTMLElement ? topOf(offsetParent) : 0);
};

/** Follows an element's width and place, which change whenever something above it grows. */
export const useLayout = (element: RefObject<HTMLElement | null>): Layout => {
  const [layout, setLayout] = useState<Layout>({ width: 0, top: 0, rem: 16 });
  useLayoutEffect(() => {
    const measure = () => {
      if (!element.current) return;
      const { width } = element.current.getBoundingClientRect();
      const rem = Number.parseFloat(getComputedStyle(document.documentElement).fontSize);
      const now = { width, top: topOf(element.current), rem };
      setLayout((before) =>
        before.width === now.width && before.top === now.top && before.rem === now.rem ? before : now,
      );
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(document.body);
    if (element.current) observer.observe(element.current);
    return () => observer.disconnect();
  }, [element]);
  return layout;
};
