const pictureName = /\.(jpe?g|jpe|jfif|png|webp|gif|tiff?|avif|hei[cf])$/i;

/**
 * What is taken from a folder, by name alone: `picture` is sent, `other` is passed over and counted, `hidden` is left
 * alone with all that is in it. A file that is named itself is sent whatever it is called. Used by the command line and the page.
 */
export const kindOfName = (name: string): 'picture' | 'other' | 'hidden' => {
  if (name.startsWith('.')) return 'hidden';
  return pictureName.test(name) ? 'picture' : 'other';
};
