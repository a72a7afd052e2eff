import type { ComponentProps } from 'react';

interface ActionButtonProps extends Omit<ComponentProps<'button'>, 'disabled'> {
  /** It does nothing now; a disabled one would lose the focus. */
  readonly idle: boolean;
}

/** A button that is there, and keeps the focus, also while it can do nothing. */
export const ActionButton = ({ idle, onClick, ...others }: ActionButtonProps) => (
  <button type="button" {...others} aria-disabled={idle || undefined} onClick={idle ? undefined : onClick} />
);
