import type { Live } from '../live.ts';
import { useAnnouncement } from '../use-announcement.ts';
import { Spoken } from './spoken.tsx';

/** Tells a screen reader of images that ended. */
export const Announcement = ({ live, dialog }: { live: Live; dialog: HTMLElement | null }) => (
  <Spoken text={useAnnouncement(live)} dialog={dialog} />
);
