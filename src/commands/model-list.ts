import { type Connection, connect } from './connection.ts';
import { print, printJson } from './print.ts';
import { table } from './table.ts';
import { percent, plain } from './texts.ts';

/** `gantry model list`: the models of a running server. Throws ClientError. */
export const list = async (options: Connection & { json?: true }): Promise<void> => {
  const models = await connect(options).models();
  if (options.json) {
    for (const model of models) printJson(model);
    return;
  }
  const rows = models.map(({ name, version, labels, accuracy, digest, description }) => [
    ...[name, version, labels.join(','), accuracy.images === 0 ? 'not measured' : percent(accuracy.overall)],
    ...[digest.slice(0, 12), plain(description)],
  ]);
  const head = ['NAME', 'VERSION', 'LABELS', 'ACCURACY', 'DIGEST', 'DESCRIPTION'];
  print(table(head, rows, process.stdout.columns ?? 0));
};
