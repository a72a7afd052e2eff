export interface Table {
  readonly title: string;
  readonly rows: readonly Readonly<Record<string, string | number>>[];
}
export interface Benchmark {
  readonly about: string;
  /** `quick` keeps it under a minute: it must work, its figures are not for quoting. */
  run(quick: boolean): Promise<Table>;
}
