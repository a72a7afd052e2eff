/** For what goes with the button that was pressed: the focus would be lost, and with it the place of a keyboard. */
export const focusTitle = (): void =>
  document.querySelector<HTMLElement>('#title')?.focus({ preventScroll: true });
