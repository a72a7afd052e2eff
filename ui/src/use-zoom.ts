import { type KeyboardEvent, type PointerEvent, type RefObject, useEffect, useRef, useState } from 'react';

/** How a picture is shown: magnified, and moved from the middle by a share of the stage's size. */
export interface Zoom {
  readonly scale: number;
  readonly x: number;
  readonly y: number;
}

const fitted: Zoom = { scale: 1, x: 0, y: 0 };
const largest = 16;
const keyStep = 1.4;
const panStep = 0.1;

/** The picture covers the stage or lies in it; it cannot be moved out of sight. */
const bounded = ({ scale, x, y }: Zoom): Zoom => {
  const kept = Math.min(largest, Math.max(1, scale));
  const room = (kept - 1) / 2;
  return {
    scale: kept,
    x: Math.min(room, Math.max(-room, x)),
    y: Math.min(room, Math.max(-room, y)),
  };
};

/** Magnifies around a point, given as a share of the stage's size from its middle. */
const zoomed = (zoom: Zoom, factor: number, at = { x: 0, y: 0 }): Zoom => {
  const scale = Math.min(largest, Math.max(1, zoom.scale * factor));
  const by = scale / zoom.scale;
  return bounded({ scale, x: at.x - (at.x - zoom.x) * by, y: at.y - (at.y - zoom.y) * by });
};

/** Zoom by wheel, pinch, double click and keys (plus, minus, 0); moved by dragging and arrow keys while magnified. */
export const useZoom = (stage: RefObject<HTMLElement | null>) => {
  const [zoom, setZoom] = useState(fitted);
  const pointers = useRef(new Map<number, { x: number; y: number }>());

  const shareOf = (event: { clientX: number; clientY: number }) => {
    const box = stage.current?.getBoundingClientRect();
    if (!box || box.width === 0 || box.height === 0) return { x: 0, y: 0 };
    return {
      x: (event.clientX - box.left) / box.width - 0.5,
      y: (event.clientY - box.top) / box.height - 0.5,
    };
  };
  const current = useRef(shareOf);
  current.current = shareOf;

  useEffect(() => {
    const element = stage.current;
    // React listens passively, and then the page would scroll as well.
    const onWheel = (event: WheelEvent) => {
      event.preventDefault();
      const at = current.current(event);
      const pixels = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? event.deltaY * 20 : event.deltaY;
      setZoom((before) => zoomed(before, 2 ** (-pixels / 300), at));
    };
    element?.addEventListener('wheel', onWheel, { passive: false });
    return () => element?.removeEventListener('wheel', onWheel);
  }, [stage]);

  const onPointerDown = (event: PointerEvent) => {
    if (event.target instanceof Element && event.target.closest('button')) return;
    stage.current?.setPointerCapture(event.pointerId);
    pointers.current.set(event.pointerId, shareOf(event));
  };
  const onPointerMove = (event: PointerEvent) => {
    const was = pointers.current.get(event.pointerId);
    if (!was) return;
    const now = shareOf(event);
    pointers.current.set(event.pointerId, now);
    const other = [...pointers.current].find(([id]) => id !== event.pointerId)?.[1];
    if (!other) {
      setZoom((before) => bounded({ ...before, x: before.x + now.x - was.x, y: before.y + now.y - was.y }));
      return;
    }
    const factor =
      Math.hypot(now.x - other.x, now.y - other.y) / Math.hypot(was.x - other.x, was.y - other.y);
    const middle = { x: (now.x + other.x) / 2, y: (now.y + other.y) / 2 };
    if (Number.isFinite(factor)) setZoom((before) => zoomed(before, factor, middle));
  };
  const onPointerUp = (event: PointerEvent) => pointers.current.delete(event.pointerId);
  const toggle = (event: { clientX: number; clientY: number }) => {
    const at = shareOf(event);
    setZoom((before) => (before.scale > 1 ? fitted : zoomed(before, 3, at)));
  };
  const zoomIn = () => setZoom((before) => zoomed(before, keyStep));
  const zoomOut = () => setZoom((before) => zoomed(before, 1 / keyStep));
  const fit = () => setZoom(fitted);
  const pan = (x: number, y: number) =>
    setZoom((before) => bounded({ ...before, x: before.x + x, y: before.y + y }));

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const moves: Readonly<Record<string, readonly [number, number]>> =
      zoom.scale > 1
        ? {
            ArrowLeft: [panStep, 0],
            ArrowRight: [-panStep, 0],
            ArrowUp: [0, panStep],
            ArrowDown: [0, -panStep],
          }
        : {};
    const move = moves[event.key];
    if (move) pan(...move);
    else if (event.key === '+' || event.key === '=') zoomIn();
    else if (event.key === '-') zoomOut();
    else if (event.key === '0') fit();
    else return;
    event.preventDefault();
    // The dialog would go on to the next image.
    event.stopPropagation();
  };

  return {
    zoom,
    ...{ zoomIn, zoomOut, fit },
    handlers: {
      onPointerDown,
      onPointerMove,
      onPointerUp,
      onPointerCancel: onPointerUp,
      onDoubleClick: toggle,
      onKeyDown,
    },
  };
};
