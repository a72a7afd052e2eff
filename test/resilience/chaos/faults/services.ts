import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FaultContext, FaultKind } from './fault.ts';

const alarmMs = 4000;
const staleMs = 1_200;
const fullLimitMs = 15_000;
/** No key of a blob begins with a dot. */
const filler = '.filler';

/** Writes until nothing more fits. */
const fill = (path: string): void => {
  const chunk = Buffer.alloc(1 << 20);
  try {
    for (;;) writeFileSync(path, chunk, { flag: 'a' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  }
};

const fillDisk = async ({ system, load, problem }: FaultContext): Promise<undefined> => {
  const path = join(system.imagesDir, filler);
  const [since, began] = [load.refusals.length, performance.now()];
  try {
    fill(path);
    const refused = () => load.refusals.slice(since).some(({ status }) => status === 507);
    while (!refused() && performance.now() - began < fullLimitMs) await sleep(100);
    if (!refused()) problem('no upload was refused with 507 while the disk was full');
  } finally {
    rmSync(path, { force: true });
  }
  // Each web server looks at the free space once a second: until then it may refuse an upload that the next fault meets.
  await sleep(staleMs);
};

export const serviceFaults: readonly FaultKind[] = [
  {
    name: 'RabbitMQ killed (SIGKILL)',
    unseenByClients: true,
    mayCostAttempts: true,
    async inject({ system: { rabbit } }) {
      await rabbit.kill();
      await rabbit.start();
      return undefined;
    },
  },
  {
    name: 'RabbitMQ loses its data',
    unseenByClients: true,
    mayCostAttempts: true,
    async inject({ system: { rabbit } }) {
      await rabbit.kill();
      await rabbit.wipe();
      await rabbit.start();
      return undefined;
    },
  },
  {
    name: 'queue `images` deleted',
    unseenByClients: true,
    mayCostAttempts: true,
    async inject({ system: { rabbit } }) {
      await rabbit.api('DELETE', 'queues/%2F/images');
      return undefined;
    },
  },
  {
    name: 'memory alarm of RabbitMQ (publishers blocked)',
    unseenByClients: true,
    mayCostAttempts: true,
    async inject({ system: { rabbit } }) {
      await rabbit.setMemoryWatermark(0);
      await sleep(alarmMs);
      await rabbit.setMemoryWatermark(0.4);
      return undefined;
    },
  },
  {
    name: 'PostgreSQL killed (SIGKILL)',
    unseenByClients: false,
    mayCostAttempts: false,
    async inject({ system: { postgres } }) {
      await postgres.kill();
      await postgres.start();
      return undefined;
    },
  },
  {
    name: 'disk of the images full',
    unseenByClients: false,
    mayCostAttempts: false,
    inject: fillDisk,
  },
];
