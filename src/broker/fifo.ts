/** First in, first out; each step in constant time (amortised), however many wait. */
export interface Fifo<Item> {
  readonly size: number;
  push(item: Item): void;
  peek(): Item | undefined;
  shift(): Item | undefined;
}

// Below this, moving what is left costs more than the spent slots are worth.
const leastSpent = 1024;

export const createFifo = <Item extends object>(): Fifo<Item> => {
  let items: (Item | undefined)[] = [];
  let head = 0;
  return {
    get size() {
      return items.length - head;
    },
    push: (item) => {
      items.push(item);
    },
    peek: () => items[head],
    shift: () => {
      const item = items[head];
      if (item === undefined) return undefined;
      items[head] = undefined;
      head += 1;
      // Array.shift moves every item that waits; this moves each at most once for each one taken.
      if (head >= leastSpent && head * 2 >= items.length) {
        items = items.slice(head);
        head = 0;
      }
      return item;
    },
  };
};
