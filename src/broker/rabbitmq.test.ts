import { after } from 'node:test';
import { rabbitMqMissing } from '../../test/services/rabbitmq.ts';
import { brokerContract } from './broker.contract.ts';
import {
  benchForFile,
  type Certificates,
  connected,
  makeCertificates,
  openBroker,
} from './rabbitmq.testing.ts';
import { connectionCases } from './rabbitmq-connection.cases.ts';
import { outageCases } from './rabbitmq-outage.cases.ts';
import { publisherCases } from './rabbitmq-publisher.cases.ts';
import { queueCases } from './rabbitmq-queues.cases.ts';
import { refillCases } from './rabbitmq-refill.cases.ts';

const bench = benchForFile(async () => ({ tls: await certificates() }));
let made: Promise<Certificates> | undefined;
const certificates = (): Promise<Certificates> => {
  made ??= makeCertificates();
  return made;
};
// After the server's own: it reads them whenever it starts.
after(async () => (await made)?.remove());

brokerContract(
  'RabbitMQ',
  async ({ topology }) => {
    const host = await bench.virtualHost();
    const { broker } = openBroker({ after: () => undefined }, host.url, { topology });
    await connected(broker);
    return {
      broker,
      dispose: async () => {
        await broker.close();
        await host.remove();
      },
    };
  },
  rabbitMqMissing(),
);
queueCases(bench);
refillCases(bench);
publisherCases(bench);
connectionCases(bench, async () => (await certificates()).ca);
outageCases(bench);
