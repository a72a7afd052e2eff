import type { Load } from '../load.ts';
import type { System } from '../system.ts';

export interface FaultContext {
  readonly system: System;
  readonly load: Load;
  /** How often this kind has been before. */
  readonly occurrence: number;
  /** Numbers in [0, 1) that the seed repeats. */
  readonly random: () => number;
  /** Something that must not happen. */
  readonly problem: (text: string) => void;
}

/** One way in which a part of the system fails. */
export interface FaultKind {
  readonly name: string;
  /** Whether every upload must be accepted at the first try all the while: the fault is none of the web servers'. */
  readonly unseenByClients: boolean;
  /** Whether an attempt may be lost. */
  readonly mayCostAttempts: boolean;
  /** Lets it happen, and resolves when it is over. What it returns is called once the system has recovered. */
  inject(context: FaultContext): Promise<undefined | (() => void)>;
}

/** One of them, by the seed. */
export const oneOf = <T>(items: readonly T[], random: () => number): T =>
  items[Math.floor(random() * items.length)] as T;

/** All of them, and every other time only one. */
export const allOrOne = <T>(items: readonly T[], { occurrence, random }: FaultContext): readonly T[] =>
  occurrence % 2 === 0 ? items : [oneOf(items, random)];
