import type { ReactNode } from 'react';

interface NoticeProps {
  readonly title: string;
  readonly text?: string | undefined;
  readonly figure?: ReactNode;
  readonly urgent?: boolean;
  readonly children?: ReactNode;
}

/** What stands where images would: nothing there yet, nothing found, nothing to be had. */
export const Notice = ({ title, text, figure, urgent = false, children }: NoticeProps) => (
  <div className={urgent ? 'notice notice-urgent' : 'notice'} role={urgent ? 'alert' : undefined}>
    {figure}
    <h3>{title}</h3>
    {text && <p>{text}</p>}
    {children}
  </div>
);
