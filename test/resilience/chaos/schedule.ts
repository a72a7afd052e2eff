import type { FaultKind } from './faults/fault.ts';

export interface Planned {
  readonly kind: FaultKind;
  /** How often the kind comes before in the plan. */
  readonly occurrence: number;
  /** Calm before it, in milliseconds. */
  readonly calmMs: number;
}

const shuffled = <T>(items: readonly T[], random: () => number): T[] => {
  const mixed = [...items];
  for (let last = mixed.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    [mixed[last], mixed[other]] = [mixed[other] as T, mixed[last] as T];
  }
  return mixed;
};

/** So many faults: rounds of every kind once, each round in an order of its own. */
export const plan = (kinds: readonly FaultKind[], count: number, random: () => number): Planned[] => {
  const planned: Planned[] = [];
  for (let occurrence = 0; planned.length < count; occurrence++) {
    for (const kind of shuffled(kinds, random)) {
      if (planned.length < count) planned.push({ kind, occurrence, calmMs: 500 + random() * 1000 });
    }
  }
  return planned;
};
