import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

/** As V8 writes it (`node --cpu-prof`): https://chromedevtools.github.io/devtools-protocol/tot/Profiler/#type-Profile */
interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
    readonly children?: readonly number[];
  }[];
  /** The node at work at each sample, and the microseconds since the sample before. */
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

/** Whose code it is. */
export type Owner = 'gantry' | 'package' | 'node' | 'native';

export interface Frame {
  /** Function and file, without the machine's folders. */
  readonly name: string;
  readonly owner: Owner;
  /** A folder of Gantry's, a package, `node`, `WebAssembly` or `(program)` and the like; of native code its caller's. */
  readonly part: string;
  /** Milliseconds in it, and in it and what it called. */
  readonly selfMs: number;
  readonly totalMs: number;
  /** The longest first. */
  readonly children: readonly Frame[];
}

const root = fileURLToPath(new URL('..', import.meta.url));

const describe = (
  { functionName, url }: CpuProfile['nodes'][number]['callFrame'],
  caller: Pick<Frame, 'part'>,
): Pick<Frame, 'name' | 'owner' | 'part'> => {
  const called = functionName || '(anonymous)';
  // `(program)` and the like are called by nobody.
  if (url === '') return { name: called, owner: 'native', part: called[0] === '(' ? called : caller.part };
  if (url.startsWith('node:')) return { name: `${called} ${url}`, owner: 'node', part: 'node' };
  if (url.startsWith('wasm:')) return { name: called, owner: 'gantry', part: 'WebAssembly' };
  const path = url.startsWith('file:') ? fileURLToPath(url) : url;
  const inPackage = /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1];
  if (inPackage !== undefined) return { name: `${called} ${inPackage}`, owner: 'package', part: inPackage };
  const file = path.replace(root, '');
  return { name: `${called} ${file}`, owner: 'gantry', part: file.split('/').slice(0, 2).join('/') };
};

interface Growing extends Pick<Frame, 'name' | 'owner' | 'part'> {
  selfMs: number;
  readonly children: Map<string, Growing>;
}

const finished = ({ children, ...frame }: Growing): Frame => {
  const below = [...children.values()].map(finished).sort((a, b) => b.totalMs - a.totalMs);
  return {
    ...frame,
    totalMs: below.reduce((sum, { totalMs }) => sum + totalMs, frame.selfMs),
    children: below,
  };
};

/**
 * The calls of one thread as a tree, in the last `lastMs` before it ended, each function once below its caller. Time
 * without work is left out; time in which it waited for the processor is not.
 */
export const readProfile = async (file: string, lastMs: number): Promise<Frame> => {
  const { nodes, samples, timeDeltas } = JSON.parse(await readFile(file, 'utf8')) as CpuProfile;
  const selfMs = new Map<number, number>();
  let left = lastMs;
  for (let n = samples.length - 1; n >= 0 && left > 0; n--) {
    const [id = 0, ms] = [samples[n], Math.max(0, timeDeltas[n] ?? 0) / 1000];
    selfMs.set(id, (selfMs.get(id) ?? 0) + ms);
    left -= ms;
  }
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const add = (id: number, caller: Growing): void => {
    const { callFrame, children = [] } = byId.get(id) as CpuProfile['nodes'][number];
    if (callFrame.functionName === '(idle)') return;
    const key = `${callFrame.functionName} ${callFrame.url}:${callFrame.lineNumber}`;
    const frame = caller.children.get(key) ?? {
      ...describe(callFrame, caller),
      selfMs: 0,
      children: new Map<string, Growing>(),
    };
    caller.children.set(key, frame);
    frame.selfMs += selfMs.get(id) ?? 0;
    for (const child of children) add(child, frame);
  };
  const all: Growing = { name: 'all', owner: 'native', part: 'all', selfMs: 0, children: new Map() };
  for (const child of nodes[0]?.children ?? []) add(child, all);
  return finished(all);
};

/** Milliseconds in each part itself, the longest first. */
export const byPart = (frame: Frame): [part: string, ms: number][] => {
  const parts = new Map<string, number>();
  const add = ({ part, selfMs, children }: Frame): void => {
    parts.set(part, (parts.get(part) ?? 0) + selfMs);
    children.forEach(add);
  };
  add(frame);
  return [...parts].sort(([, a], [, b]) => b - a);
};
