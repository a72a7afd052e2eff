import { events, json, type UploadJson, upload } from '../test/acceptance/target.ts';

/** Pictures a second from the first upload to the last result. */
export const gantryRound = async (url: string, pictures: readonly Buffer<ArrayBuffer>[]): Promise<number> => {
  const stream = events(`${url}/events`);
  const opened = stream.next();
  const waiting = new Set<string>();
  const early = new Set<string>();
  let next = 0;
  const began = performance.now();
  const client = async (): Promise<void> => {
    while (next < pictures.length) {
      const n = next++;
      const bytes = pictures[n] ?? Buffer.alloc(0);
      const { correlationId } = await json<UploadJson>(await upload(url, [{ name: `${n}.jpg`, bytes }]));
      if (!early.delete(correlationId)) waiting.add(correlationId);
    }
  };
  const clients = Promise.all(Array.from({ length: 16 }, client));
  let ended = 0;
  const see = ({ event, data }: { event: string; data: string }): void => {
    if (event !== 'succeeded') return;
    const { id } = JSON.parse(data) as { id: string };
    if (!waiting.delete(id)) early.add(id);
    ended += 1;
  };
  const first = await opened;
  if (!first.done) see(first.value);
  while (ended < pictures.length) {
    const { value, done } = await stream.next();
    if (done) throw new Error('the event stream ended');
    see(value);
  }
  const seconds = (performance.now() - began) / 1000;
  await clients;
  await stream.return(undefined);
  return pictures.length / seconds;
};
