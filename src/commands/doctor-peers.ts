import type { QueueStatus } from '../broker/broker.ts';
import { parseAmqpUrl } from '../broker/rabbitmq-address.ts';
import { topology } from '../broker/topology.ts';
import { ClientError } from '../client/client.ts';
import type { Config } from '../config.ts';
import { createLog } from '../observability/log.ts';
import { version } from '../version.ts';
import { within } from '../within.ts';
import { connect, serverUrl } from './connection.ts';
import { fail, ok, reasonOf, type Verdict, warn } from './doctor-checks.ts';
import { openRabbitmq } from './open-broker.ts';
import { counted } from './texts.ts';

const limitMs = 10_000;

const describeQueues = (queues: readonly QueueStatus[]): Verdict => {
  const consumers = queues[0]?.consumers ?? 0;
  const waiting = queues.reduce((sum, { messages }) => sum + messages, 0);
  const message = `RabbitMQ answers: ${counted(queues.length, 'queue')}, ${counted(waiting, 'message')}, ${counted(consumers, 'consumer')}`;
  return consumers > 0 ? ok(message) : warn(message, 'nobody processes images: start gantry consumer');
};

export const broker = async (config: Config): Promise<Verdict> => {
  if (config.amqpUrl === undefined) return ok('the queue is embedded in `gantry serve`');
  const mend =
    'see that RabbitMQ runs, and that GANTRY_AMQP_URL, user, password and virtual host are right: gantry config';
  const failed = new Map<string, string>();
  const known = Promise.withResolvers<Verdict>();
  // What stands in the way of an answer is told in the log only, as servers wait for it.
  const log = createLog('silent', 'json');
  log.warn = (fields: { host?: string; reason?: string; missing?: string }): void => {
    if (fields.missing !== undefined) {
      known.resolve(
        warn(
          `RabbitMQ answers; ${fields.missing} is not there yet`,
          'nothing to do: a web server makes exchange and queues when it starts',
        ),
      );
    }
    if (fields.host === undefined || fields.reason === undefined) return;
    failed.set(fields.host, fields.reason);
    if (failed.size >= hosts) {
      known.resolve(fail(`RabbitMQ: ${[...failed].map((one) => one.join(': ')).join('; ')}`, mend));
    }
  };
  let hosts = 1;
  try {
    hosts = parseAmqpUrl(config.amqpUrl, { heartbeatSeconds: 10 }).hosts.length;
    const rabbitmq = openRabbitmq(config, log, 'doctor', false);
    try {
      const answers = Promise.all(topology.map(({ name }) => rabbitmq.status(name))).then(describeQueues);
      return await within(Promise.race([answers, known.promise]), limitMs);
    } finally {
      await rabbitmq.close();
    }
  } catch (error) {
    return fail(`RabbitMQ: ${reasonOf(error)}`, mend);
  }
};

/** The server that commands would talk to. None is no fault, unless GANTRY_URL says that there is one. */
export const server = async (): Promise<Verdict> => {
  const url = serverUrl(undefined);
  try {
    const client = connect({});
    // Loading the model takes this process's time, too.
    const { version: theirs } = await client.health(AbortSignal.timeout(limitMs));
    if (theirs !== version) {
      return warn(
        `${url} runs Gantry ${theirs}, and this is ${version}`,
        "use the command line of the server's version, or upgrade the server",
      );
    }
    const { models, broker: queue } = await client.system(AbortSignal.timeout(limitMs));
    const names = models.map(({ name }) => name).join(', ');
    if (!queue.connected) {
      return warn(`${url} runs this version, but has no broker`, 'uploads are kept until RabbitMQ is back');
    }
    return ok(`${url} runs this version, with the model ${names}`);
  } catch (error) {
    if (!(error instanceof ClientError)) throw error;
    if (error.code === 'unreachable' && !process.env.GANTRY_URL) return ok(`none answers at ${url}`);
    if (error.status === 401 || error.status === 403) {
      return warn(`${url} runs this version; ${error.message}`, 'give a key that may read: docs/access.md');
    }
    return fail(error.message, 'start it (gantry serve), or name another with GANTRY_URL');
  }
};
