import { useState } from 'react';
import { createPortal } from 'react-dom';
import { formatCount } from '../format.ts';
import { texts } from '../texts.ts';
import type { Uploads } from '../use-uploads.ts';

const words = ({ uploads, queue }: Uploads): string => {
  const overall = queue.overall();
  if (overall) return texts.upload.glance(formatCount(overall.ended), formatCount(overall.files));
  const failed = uploads.filter(({ reason }) => reason !== null).length;
  return failed > 0 ? texts.upload.glanceFailed(failed, formatCount(failed)) : texts.upload.glanceDone;
};

/** How far the uploads are that began while an image is open; their list is behind it. */
export const UploadGlance = ({ uploads, dialog }: { uploads: Uploads; dialog: HTMLElement }) => {
  const [before] = useState(() => new Set(uploads.uploads.map(({ key }) => key)));
  if (uploads.uploads.every(({ key }) => before.has(key))) return null;
  return createPortal(<p className="glance">{words(uploads)}</p>, dialog);
};
