import { texts } from '../texts.ts';
import { inDialog } from './in-dialog.tsx';

/** Over everything while files are dragged over the page: what becomes of them. */
export const DropSign = ({ dialog }: { dialog: HTMLElement | null }) =>
  inDialog(
    dialog,
    <div className="drop" aria-hidden="true">
      <p>{dialog ? texts.upload.dropOver : texts.upload.drop}</p>
    </div>,
  );
