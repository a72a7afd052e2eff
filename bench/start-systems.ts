import type { Contender, System } from './contender.ts';
import { lazyServices, type Services } from './services.ts';

export interface Started {
  readonly name: string;
  readonly system: System;
}
export interface Systems {
  readonly started: Started[];
  /** Rows for those that do not take part, and why. */
  readonly missing: { system: string; missing: string }[];
  readonly services: Services;
  stop(): Promise<void>;
}

/** Leaves one that runs out of the comparison. */
export const drop = async ({ started, missing }: Systems, one: Started, why: string): Promise<void> => {
  started.splice(started.indexOf(one), 1);
  missing.push({ system: one.name, missing: why });
  await one.system.stop();
};

/** Starts all that can run here. */
export const startSystems = async (contenders: readonly Contender[]): Promise<Systems> => {
  const services = lazyServices();
  const started: Started[] = [];
  const missing: Systems['missing'] = [];
  for (const { name, start } of contenders) {
    try {
      started.push({ name, system: await start(services) });
    } catch (error) {
      missing.push({ system: name, missing: error instanceof Error ? error.message : String(error) });
    }
  }
  return {
    ...{ started, missing, services },
    async stop() {
      await Promise.all(started.map(({ system }) => system.stop()));
      await services.stop();
    },
  };
};
