import { fixture } from '../acceptance/target.ts';

/** A picture, and what the pets model is known to call it. */
export interface Picture {
  readonly name: string;
  readonly contentType: string;
  readonly label: string;
  readonly bytes: Buffer<ArrayBuffer>;
}

type Known = readonly [path: string, contentType: string, label: string];

/** Each format that is taken, with what cameras and programs make of them. */
const formats: readonly Known[] = [
  ['dogs/golden_retriever.jpg', 'image/jpeg', 'dog'],
  ['cats/chelsea.png', 'image/png', 'cat'],
  ['cats/kitten_yarn.webp', 'image/webp', 'cat'],
  ['odd/cat.avif', 'image/avif', 'cat'],
  ['odd/dog_then_cat_animated.gif', 'image/gif', 'dog'],
  ['odd/dog_then_cat_multipage.tiff', 'image/tiff', 'dog'],
  ['odd/dog_exif_orientation6.jpg', 'image/jpeg', 'dog'],
  ['odd/dog_cmyk.jpg', 'image/jpeg', 'dog'],
  ['odd/cat_gray16.png', 'image/png', 'cat'],
  ['odd/cat_then_dog_animated.webp', 'image/webp', 'cat'],
  ['others/red_panda.jpg', 'image/jpeg', 'other'],
];

/** Small ones, so that a stream of them loads the system more than the network. */
const stream: readonly Known[] = [
  ['dogs/golden_retriever.jpg', 'image/jpeg', 'dog'],
  ['cats/kitten_yarn.webp', 'image/webp', 'cat'],
  ['others/horse_crop.jpg', 'image/jpeg', 'other'],
  ['dogs/german_shepherd_head.jpg', 'image/jpeg', 'dog'],
  ['odd/cat.avif', 'image/avif', 'cat'],
  ['others/horse_silhouette.png', 'image/png', 'other'],
  ['odd/dog_then_cat_animated.gif', 'image/gif', 'dog'],
  ['cats/tabby_lying.jpg', 'image/jpeg', 'cat'],
];

const read = (known: readonly Known[]): Promise<Picture[]> =>
  Promise.all(
    known.map(async ([path, contentType, label]) => ({
      ...{ name: path.split('/').at(-1) ?? path, contentType, label },
      bytes: await fixture(path),
    })),
  );

/** A picture of every format. */
export const everyFormat = (): Promise<Picture[]> => read(formats);
/** Pictures of every label, to be uploaded over and over. */
export const streamed = (): Promise<Picture[]> => read(stream);
