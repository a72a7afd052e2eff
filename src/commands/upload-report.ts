import type { Image } from '../client/client.ts';
import { progress } from './progress.ts';
import { imageTable } from './table.ts';
import { counted, outcomeText, plain, stateText } from './texts.ts';
import type { Sending } from './upload-file.ts';
import type { Source } from './upload-sources.ts';

/** What `gantry upload` tells while it works: a line a file on stdout, or, `waiting`, a table at the end. */
export interface Report {
  sent(source: Source, bytes: number): void;
  /** So much of the file is with the server; the first time, from before. */
  kept(source: Source, bytes: number): void;
  finished(source: Source, sending: Sending): void;
  /** Something about the run itself. */
  tell(line: string): void;
  /** All is uploaded; what is waited for now. */
  wait(count: number): { ended(fine: boolean): void };
  /** The table. `images` as they ended, or as they were last seen. */
  results(sendings: readonly Sending[], images: ReadonlyMap<string, Image | null>): void;
  summary(sendings: readonly Sending[], images: ReadonlyMap<string, Image | null>): void;
  end(): void;
}

export interface ReportOptions {
  readonly json: boolean;
  readonly wait: boolean;
}

const why = (error: Sending['error']): string =>
  error === null ? '' : `${plain(error.message)} (${error.code})`;

/** `--json`: the same shape whatever became of the file. */
const jsonLine = (sending: Sending, image: Image | null, outcome: string): string =>
  `${JSON.stringify({ ...sending, outcome, image, error: sending.error ?? image?.error ?? null })}\n`;

const lineOf = (sending: Sending): string => {
  const { outcome, file, id, image, error } = sending;
  const what = outcome.padEnd(10);
  if (outcome === 'accepted') return `${what} ${id}  ${plain(file)}`;
  if (outcome === 'known' && image !== null) {
    return `${what} ${id}  ${plain(file)}  uploaded before: ${image.state} ${outcomeText(image)}`.trimEnd();
  }
  return `${what} ${plain(file)}: ${why(error)}`;
};

const names: Record<Sending['outcome'], string> = {
  accepted: 'accepted',
  known: 'uploaded before',
  refused: 'refused',
  unreadable: 'unreadable',
  left: 'not uploaded',
};

const rowOf = (sending: Sending, image: Image | null | undefined): string[] => {
  const { file, id, outcome, error } = sending;
  if (id === null) return [plain(file), names[outcome], '', why(error)];
  if (image === null) return [plain(file), 'deleted', id, ''];
  const state = image === undefined ? 'unfinished' : stateText(image.state);
  const result = [image ? outcomeText(image) : '', outcome === 'known' ? 'uploaded before' : ''];
  return [plain(file), state, id, result.filter((part) => part !== '').join(', ')];
};

const tally = (words: readonly string[]): string => {
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return [...counts].map(([word, count]) => `${count} ${word}`).join(', ');
};

/** More files that were uploaded before are only counted, on a terminal. */
const mostKnown = 10;

/** A report of `files` on this terminal, or in plain lines where there is none. */
export const createReport = (files: readonly Source[], { json, wait }: ReportOptions): Report => {
  let bar = progress('Uploading', 'bytes');
  let total = files.reduce((sum, { bytes }) => sum + bytes, 0);
  let done = 0;
  let ended = 0;
  let wrong = 0;
  const sentOf = new Map<Source, number>();
  /** What was with the server when this run came to a file. */
  const beforeOf = new Map<Source, number>();
  let before = 0;
  const update = (): void => {
    const note = `${ended} of ${counted(files.length, 'file')}${wrong > 0 ? `, ${wrong} not taken` : ''}`;
    bar.update(done, total, note, before);
  };
  const move = (source: Source, bytes: number): void => {
    done += bytes - (sentOf.get(source) ?? 0);
    sentOf.set(source, bytes);
  };
  const write = (stream: NodeJS.WriteStream, text: string): void => bar.above(() => void stream.write(text));
  return {
    sent(source, bytes) {
      move(source, bytes);
      update();
    },
    kept(source, bytes) {
      if (!beforeOf.has(source)) {
        beforeOf.set(source, bytes);
        before += bytes;
      }
      move(source, bytes);
      update();
    },
    finished(source, sending) {
      ended += 1;
      if (sending.outcome === 'accepted') move(source, source.bytes);
      else {
        // What is not sent takes no time: it would make the rate a lie.
        move(source, 0);
        total -= source.bytes;
        before -= beforeOf.get(source) ?? 0;
      }
      sentOf.delete(source);
      const fine = sending.outcome === 'accepted' || sending.outcome === 'known';
      if (!fine) wrong += 1;
      if (json) {
        if (!wait || sending.id === null)
          write(process.stdout, jsonLine(sending, sending.image, sending.outcome));
      } else if (sending.outcome !== 'left') {
        // A person who goes on with a folder wants to see what is new; a log has everything.
        const old = sending.outcome === 'known' && process.stdout.isTTY && files.length > mostKnown;
        const quiet = (wait && process.stderr.isTTY) || old;
        if (!quiet || !fine) write(fine && !wait ? process.stdout : process.stderr, `${lineOf(sending)}\n`);
      }
      update();
    },
    tell: (line) => write(process.stderr, `${line}\n`),
    wait(count) {
      bar.end();
      bar = progress('Processing');
      let seen = 0;
      let without = 0;
      return {
        ended(fine) {
          seen += 1;
          if (!fine) without += 1;
          bar.update(seen, count, without > 0 ? `${without} without a label` : '');
        },
      };
    },
    results(sendings, images) {
      bar.end();
      if (json) {
        for (const sending of sendings) {
          if (sending.id === null) continue;
          const image = images.get(sending.id) ?? null;
          process.stdout.write(
            jsonLine(sending, image, image?.state ?? (images.has(sending.id) ? 'deleted' : 'unfinished')),
          );
        }
        return;
      }
      const imageOf = ({ id }: Sending) => (id === null ? null : images.get(id));
      // What somebody has to look at comes last: that is what stands above the prompt.
      const bad = (sending: Sending): number => Number(imageOf(sending)?.state !== 'succeeded');
      const ordered = [...sendings].sort((a, b) => bad(a) - bad(b));
      const rows = ordered.map((sending) => rowOf(sending, imageOf(sending)));
      process.stdout.write(imageTable(['FILE', 'STATE', 'ID', 'RESULT'], rows, process.stdout.columns));
    },
    summary(sendings, images) {
      bar.end();
      const word = ({ id, outcome }: Sending): string => {
        if (!wait || id === null) return names[outcome];
        return images.get(id)?.state ?? (images.has(id) ? 'deleted' : 'unfinished');
      };
      process.stderr.write(`${counted(sendings.length, 'file')}: ${tally(sendings.map(word))}\n`);
    },
    end: () => bar.end(),
  };
};
