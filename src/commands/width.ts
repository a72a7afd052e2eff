import stringWidth from 'string-width';

/** Columns of a terminal that a text takes: two for most Chinese, Japanese and Korean characters and for emoji. */
export const widthOf = (text: string): number => stringWidth(text);

const characters = new Intl.Segmenter();

/** As much of a line as there is room for; what it colours ends with it. */
export const fitting = (line: string, columns: number): string => {
  if (widthOf(line) <= columns) return line;
  let room = columns;
  const cut = (text: string): string => {
    let fits = '';
    for (const { segment } of characters.segment(text)) {
      room -= widthOf(segment);
      if (room < 0) return fits;
      fits += segment;
    }
    return fits;
  };
  // Every second piece is an escape that colours are made of.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what they begin with
  const pieces = line.split(/(\u001b\[\d*m)/);
  return pieces.map((piece, n) => (n % 2 === 1 ? piece : cut(piece))).join('');
};
