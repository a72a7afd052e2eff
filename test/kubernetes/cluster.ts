import { CommandError, type Ended, findTool, follow, must, run } from './command.ts';

/** One namespace of the cluster that kubectl's current context names. */
export interface Namespace {
  readonly name: string;
  /** Ends every command. */
  readonly signal: AbortSignal;
  /** As this one, but every command of it ends when the signal aborts. */
  until(signal: AbortSignal): Namespace;
  /** Runs kubectl in the namespace; returns what it wrote. Throws CommandError `failed`. */
  kubectl(...args: string[]): Promise<string>;
  /** As `kubectl`, whatever the exit code. */
  tryKubectl(...args: string[]): Promise<Ended>;
  helm(...args: string[]): Promise<string>;
  tryHelm(...args: string[]): Promise<Ended>;
  /** `kubectl get ... --output json`, parsed. */
  get<T>(...args: string[]): Promise<T>;
  /**
   * Watches until `done` says so of what `jsonpath` makes of the object, which it returns. Throws CommandError `late`
   * after `limitMs`.
   */
  watch(object: string, jsonpath: string, done: (value: string) => boolean, limitMs: number): Promise<string>;
  /** `kubectl port-forward` to a free local port; resolves with its URL once connections are taken. */
  forward(target: string, port: number): Promise<Forward>;
}

export interface Forward extends AsyncDisposable {
  readonly url: string;
}

/** Lists of the API, as far as they are read here. */
export interface List<T> {
  readonly items: readonly T[];
}

/** A namespace that exists. Throws CommandError `missing` if there is no kubectl or helm. */
export const openNamespace = (name: string, signal: AbortSignal): Namespace => {
  const [kubectl, helm] = [findTool('kubectl'), findTool('helm')];
  const within = (args: readonly string[]): string[] => ['--namespace', name, ...args];
  return {
    name,
    signal,
    until: (other) => openNamespace(name, AbortSignal.any([signal, other])),
    kubectl: (...args) => must(kubectl, within(args), signal),
    tryKubectl: (...args) => run(kubectl, within(args), signal),
    helm: (...args) => must(helm, within(args), signal),
    tryHelm: (...args) => run(helm, within(args), signal),
    async get(...args) {
      return JSON.parse(await must(kubectl, within(['get', ...args, '--output', 'json']), signal));
    },
    async watch(object, jsonpath, done, limitMs) {
      const late = AbortSignal.timeout(limitMs);
      const args = ['get', object, '--watch', '--output', `jsonpath={${jsonpath}}{"\\n"}`];
      let last = '';
      // The server ends a watch after some minutes.
      while (!late.aborted) {
        await using watching = follow(kubectl, within(args), AbortSignal.any([signal, late]));
        for await (const line of watching.lines) {
          if (done(line)) return line;
          last = line;
        }
        if (!signal.aborted && !late.aborted && watching.complaints() !== '')
          throw new CommandError('failed', `watching ${object}: ${watching.complaints().trim()}`);
      }
      signal.throwIfAborted();
      throw new CommandError(
        'late',
        `${object} ${jsonpath} was ${last || 'nothing'} for ${limitMs / 1000} s`,
      );
    },
    async forward(target, port) {
      const forwarding = follow(kubectl, within(['port-forward', target, `:${port}`]), signal);
      for await (const line of forwarding.lines) {
        const address = /^Forwarding from (127\.0\.0\.1:\d+)/.exec(line)?.[1];
        if (address !== undefined)
          return {
            url: `http://${address}`,
            [Symbol.asyncDispose]: () => forwarding[Symbol.asyncDispose](),
          };
      }
      throw new CommandError('failed', `no port-forward to ${target}: ${forwarding.complaints().trim()}`);
    },
  };
};

/**
 * Makes a namespace that takes only pods as Pod Security's `restricted` has them.
 * https://kubernetes.io/docs/concepts/security/pod-security-standards/
 */
export const createNamespace = async (name: string, signal: AbortSignal): Promise<Namespace> => {
  const namespace = openNamespace(name, signal);
  await namespace.kubectl('create', 'namespace', name);
  await namespace.kubectl('label', 'namespace', name, 'pod-security.kubernetes.io/enforce=restricted');
  return namespace;
};

/** Removes the namespace with all that is in it, claims and Secrets that Helm keeps among them. Throws CommandError. */
export const removeNamespace = async ({ name, kubectl, tryKubectl }: Namespace): Promise<void> => {
  // A namespace with pods in it is looked at again only after half of their longest grace period.
  await tryKubectl('delete', 'all', '--all', '--timeout=240s');
  await kubectl('delete', 'namespace', name, '--ignore-not-found', '--timeout=240s');
};

interface Node {
  readonly metadata: { readonly name: string };
  readonly spec: { readonly unschedulable?: boolean; readonly taints?: readonly { effect: string }[] };
  readonly status: { readonly addresses: readonly { type: string; address: string }[] };
}

/** Names of the nodes that take pods. */
export const workers = async ({ get }: Namespace): Promise<string[]> => {
  const { items } = await get<List<Node>>('nodes');
  const takes = ({ spec }: Node): boolean =>
    spec.unschedulable !== true && !(spec.taints ?? []).some(({ effect }) => effect !== 'PreferNoSchedule');
  return items.filter(takes).map(({ metadata }) => metadata.name);
};

/** Where the nodes' ports are reached: NODE_ADDRESS, or the first node's own address. */
export const nodeAddress = async ({ get }: Namespace): Promise<string> => {
  if (process.env.NODE_ADDRESS) return process.env.NODE_ADDRESS;
  const { items } = await get<List<Node>>('nodes');
  const address = items.flatMap(({ status }) => status.addresses).find(({ type }) => type === 'InternalIP');
  if (address === undefined) throw new CommandError('failed', 'no node has an InternalIP; set NODE_ADDRESS');
  return address.address.includes(':') ? `[${address.address}]` : address.address;
};
