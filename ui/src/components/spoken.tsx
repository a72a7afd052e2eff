import { useLayoutEffect, useState } from 'react';
import { inDialog } from './in-dialog.tsx';

/** Words for screen readers alone, each said once. */
export const Spoken = ({ text, dialog }: { text: string; dialog: HTMLElement | null }) => {
  const [old, setOld] = useState(text);
  // The line moves into and out of the dialog; what it said before would be said again.
  // biome-ignore lint/correctness/useExhaustiveDependencies: only another place makes the words old
  useLayoutEffect(() => setOld(text), [dialog]);
  return inDialog(
    dialog,
    <p className="visually-hidden" role="status">
      {text === old ? '' : text}
    </p>,
  );
};
