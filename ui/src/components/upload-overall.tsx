import { formatBytes, formatCount, formatDuration } from '../format.ts';
import { texts } from '../texts.ts';
import type { Overall } from '../upload-meter.ts';
import type { UploadQueue } from '../upload-queue.ts';

/** One bar for all: how many, how much, how fast, how long. */
export const UploadOverall = ({ overall, queue }: { overall: Overall; queue: UploadQueue }) => {
  const { files, ended, bytes, sent, bytesPerSecond, leftMs } = overall;
  const facts = [
    texts.upload.overallFiles(formatCount(ended), formatCount(files)),
    texts.upload.overallBytes(formatBytes(Math.round(sent)), formatBytes(bytes)),
    ...(bytesPerSecond === null ? [] : [texts.upload.rate(formatBytes(Math.round(bytesPerSecond)))]),
    ...(leftMs === null ? [] : [texts.upload.left(formatDuration(Math.max(1000, leftMs)))]),
  ];
  return (
    <div className="upload-overall">
      <progress aria-label={texts.upload.overall} value={bytes === 0 ? 0 : sent / bytes} />
      <p>{facts.join(' · ')}</p>
      <button type="button" className="button button-small" onClick={queue.cancelAll}>
        {texts.upload.cancelAll}
      </button>
    </div>
  );
};
