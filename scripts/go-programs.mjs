// Programs that tests and checks need and no distribution has: built from their Go modules, once for each version.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const needsGo = [1, 25];
// renovate: go.opentelemetry.io/collector/cmd/builder
const collectorVersion = 'v0.165.0';

const go = (cache, args) =>
  spawnSync('go', args, {
    cwd: cache,
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, GOBIN: cache },
  }).status === 0;

/** The Collector comes as parts, and a program that makes one of the parts that are wanted. */
const buildCollector = (cache) => {
  const core = 'go.opentelemetry.io/collector';
  const parts = `dist:
  name: otelcol
  output_path: ${join(cache, 'otelcol-source')}
receivers:
  - gomod: ${core}/receiver/otlpreceiver ${collectorVersion}
exporters:
  - gomod: ${core}/exporter/otlphttpexporter ${collectorVersion}
`;
  const config = join(cache, 'otelcol.yaml');
  writeFileSync(config, parts);
  if (!go(cache, ['install', `${core}/cmd/builder@${collectorVersion}`])) return false;
  const options = { cwd: cache, stdio: ['ignore', 'ignore', 'ignore'] };
  if (spawnSync(join(cache, 'builder'), ['--config', config], options).status !== 0) return false;
  const from = join(cache, 'otelcol-source', 'otelcol');
  return spawnSync('mv', [from, join(cache, 'otelcol')]).status === 0;
};

// renovate: github.com/versity/versitygw
const versitygw = 'v1.8.0';
// renovate: github.com/rhysd/actionlint
const actionlint = 'v1.7.12';
// renovate: github.com/google/go-containerregistry
const crane = 'v0.22.1';
const programs = [
  {
    name: 'versitygw',
    version: versitygw,
    setting: 'VERSITYGW_PATH',
    purpose: 'test',
    without: 'the S3 tests will be skipped',
    build: (cache) => go(cache, ['install', `github.com/versity/versitygw/cmd/versitygw@${versitygw}`]),
  },
  {
    name: 'otelcol',
    version: collectorVersion,
    setting: 'OTELCOL_PATH',
    purpose: 'test',
    without: 'the trace tests will be skipped',
    build: buildCollector,
  },
  {
    name: 'actionlint',
    version: actionlint,
    setting: 'ACTIONLINT_PATH',
    purpose: 'workflows',
    without: 'the workflows will be checked by zizmor only',
    build: (cache) => go(cache, ['install', `github.com/rhysd/actionlint/cmd/actionlint@${actionlint}`]),
  },
  {
    name: 'crane',
    version: crane,
    setting: 'CRANE_PATH',
    purpose: 'workflows',
    without: 'no chart will be published to a registry for trial',
    build: (cache) => go(cache, ['install', `github.com/google/go-containerregistry/cmd/crane@${crane}`]),
  },
];

const goIsNewEnough = () => {
  const { stdout, error } = spawnSync('go', ['env', 'GOVERSION'], { encoding: 'utf8' });
  const [, major, minor] = /^go(\d+)\.(\d+)/.exec(error ? '' : stdout) ?? [];
  const [needsMajor, needsMinor] = needsGo;
  return Number(major) > needsMajor || (Number(major) === needsMajor && Number(minor) >= needsMinor);
};

/** Those of a purpose. Not a failure without them: what needs one says what it leaves out. */
export const buildGoPrograms = (cache, purpose, { say }) => {
  const wanted = programs.filter((program) => program.purpose === purpose);
  for (const { name, version, setting, without, build } of wanted) {
    const stamp = join(cache, `${name}.version`);
    const built =
      existsSync(join(cache, name)) && existsSync(stamp) && readFileSync(stamp, 'utf8') === version;
    const elsewhere = (process.env.PATH ?? '').split(delimiter).some((dir) => existsSync(join(dir, name)));
    if (built || process.env[setting] || elsewhere) continue;
    const skipped = `${without}: ${name} is missing`;
    if (!goIsNewEnough()) {
      say(`${skipped}, and so is Go ${needsGo.join('.')} to build it`);
      continue;
    }
    say(`building ${name} ${version} ...`);
    mkdirSync(cache, { recursive: true });
    const began = Date.now();
    if (!build(cache)) {
      say(`${skipped}, and Go could not build it`);
      continue;
    }
    writeFileSync(stamp, version);
    say(`building ${name}: done in ${((Date.now() - began) / 1000).toFixed(1)} s`);
  }
};
