/** A range of confidence: above the bucket before it, up to `upTo`. */
export interface Band {
  readonly name: string;
  /** A bucket of `gantry_result_confidence`; undefined for the last band, which takes the rest. */
  readonly upTo: number | undefined;
}

/** Few and wide: with five the index of a day with some hundred pictures is no noise yet. */
export const bands: readonly Band[] = [
  { name: 'up to 0.5', upTo: 0.5 },
  { name: '0.5 to 0.7', upTo: 0.7 },
  { name: '0.7 to 0.9', upTo: 0.9 },
  { name: '0.9 to 0.99', upTo: 0.99 },
  { name: 'above 0.99', upTo: undefined },
];

/** Name of the band that a confidence (0 to 1) lies in. */
export const bandOf = (confidence: number): string => {
  const found = bands.find(({ upTo }) => upTo === undefined || confidence <= upTo);
  if (found === undefined) throw new RangeError('the last band has no end');
  return found.name;
};

/** What a model answered to pictures that it was not trained on: counts. */
export interface Reference {
  readonly model: { readonly name: string; readonly version: string; readonly digest: string };
  readonly images: number;
  readonly labels: Readonly<Record<string, number>>;
  readonly confidence: Readonly<Record<string, number>>;
}
