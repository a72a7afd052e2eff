import { type FocusEvent, type RefObject, useLayoutEffect, useRef } from 'react';

const canFocus = 'a[href], button, input, select, summary';

/**
 * Where a button goes with what it did, the focus would be lost: it goes to what is then in its place within the element,
 * else before it, else to `fallback`. Returns the handlers that the element needs.
 */
export const useKeptFocus = (
  element: RefObject<HTMLElement | null>,
  fallback: () => HTMLElement | null = () => null,
) => {
  const place = useRef<number | null>(null);
  const all = () =>
    [...(element.current?.querySelectorAll<HTMLElement>(canFocus) ?? [])].filter((one) =>
      one.checkVisibility(),
    );
  useLayoutEffect(() => {
    if (place.current === null || document.activeElement !== document.body) return;
    const left = all();
    (left[Math.min(place.current, left.length - 1)] ?? fallback())?.focus({ preventScroll: true });
  });
  return {
    onFocus: ({ target }: FocusEvent<HTMLElement>) => {
      place.current = all().indexOf(target);
    },
    // React does not tell of what it takes away itself.
    onBlur: () => {
      place.current = null;
    },
  };
};
