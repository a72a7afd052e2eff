export const print = (text: string): void => void process.stdout.write(text);
export const printJson = (value: unknown): void => print(`${JSON.stringify(value)}\n`);

/** Names and values, one a line. What is empty is left out. */
export const printFacts = (facts: readonly (readonly [name: string, value: string])[]): void => {
  const told = facts.filter(([, value]) => value !== '');
  const width = Math.max(...told.map(([name]) => name.length)) + 2;
  for (const [name, value] of told) print(`${name.padEnd(width)}${value}\n`);
};
