import { setTimeout as sleep } from 'node:timers/promises';
import type { Direction, Predicate, TcpProxy } from '../../../services/tcp-proxy.ts';
import type { System } from '../system.ts';
import { isAck, isCommitted } from '../wire.ts';
import { allOrOne, type FaultContext, type FaultKind, oneOf } from './fault.ts';

type Choose = (system: System) => readonly TcpProxy[];

const webToBroker: Choose = ({ webs }) => webs.map(({ toBroker }) => toBroker);
const consumerToBroker: Choose = ({ consumers }) => consumers.map(({ toBroker }) => toBroker);
const toBroker: Choose = (system) => [...webToBroker(system), ...consumerToBroker(system)];
const toDatabase: Choose = ({ webs }) => webs.map((web) => web.toDatabase);

const stallMs = 3000;
/** Uploads come several a second, and each makes every step that is waited for here. */
const momentLimitMs = 15_000;

const cut =
  (of: Choose) =>
  async (context: FaultContext): Promise<undefined> => {
    for (const proxy of allOrOne(of(context.system), context)) proxy.cut();
  };
const stall =
  (of: Choose) =>
  async (context: FaultContext): Promise<undefined> => {
    const proxies = allOrOne(of(context.system), context);
    for (const proxy of proxies) proxy.stall();
    await sleep(stallMs);
    for (const proxy of proxies) proxy.resume();
  };
const halfOpen = (of: Choose) => async (context: FaultContext) => {
  const releases = allOrOne(of(context.system), context).map((proxy) => proxy.halfOpen());
  return (): void => {
    for (const release of releases) release();
  };
};

/** Cuts one connection at the moment when bytes that match were to arrive, which they then never do. */
const cutBefore =
  (of: Choose, direction: Direction, matches: Predicate) =>
  async ({ system, random, problem }: FaultContext): Promise<undefined> => {
    const proxy = oneOf(of(system), random);
    const timer = setTimeout(proxy.disarm, momentLimitMs);
    if (!(await proxy.cutBefore(direction, matches))) problem('the moment for a cut did not come');
    clearTimeout(timer);
  };

const brokerFault = (name: string, inject: FaultKind['inject']): FaultKind => ({
  name,
  unseenByClients: true,
  mayCostAttempts: true,
  inject,
});
const databaseFault = (name: string, inject: FaultKind['inject']): FaultKind => ({
  name,
  unseenByClients: false,
  mayCostAttempts: false,
  inject,
});

export const connectionFaults: readonly FaultKind[] = [
  brokerFault('connections to the broker cut', cut(toBroker)),
  brokerFault('connections to the broker stalled for 3 s', stall(toBroker)),
  brokerFault('connections to the broker half-open', halfOpen(toBroker)),
  brokerFault('cut between publish and confirm (job)', cutBefore(webToBroker, 'toClient', isAck)),
  brokerFault('cut between publish and confirm (result)', cutBefore(consumerToBroker, 'toClient', isAck)),
  brokerFault('cut between result publish and job ack', cutBefore(consumerToBroker, 'toServer', isAck)),
  brokerFault('cut between recording and result ack', cutBefore(webToBroker, 'toServer', isAck)),
  databaseFault('connections to the database cut', cut(toDatabase)),
  databaseFault('connections to the database stalled for 3 s', stall(toDatabase)),
  databaseFault('connections to the database half-open', halfOpen(toDatabase)),
  databaseFault('cut between COMMIT and its answer', cutBefore(toDatabase, 'toClient', isCommitted)),
];
