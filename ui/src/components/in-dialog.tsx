import type { ReactNode } from 'react';
import { createPortal } from 'react-dom';

/** Puts something into the open dialog, if there is one: what is beside it can be neither seen, pressed nor heard. */
export const inDialog = (dialog: HTMLElement | null, node: ReactNode): ReactNode =>
  dialog ? createPortal(node, dialog) : node;
