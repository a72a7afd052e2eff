// npx node scripts/terraform/check.ts --cluster IMAGE: the Helm part of deploy/terraform/gantry on whatever cluster
// kubectl's current context names, in a namespace of its own: the releases in Terraform's order with the values of its
// templates, for trials (everything in the cluster, no operators). A picture is uploaded; then all of it goes again.
// It is helm that installs here, not Terraform's provider.
import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { chartFolder } from '../charts/charts.ts';
import { kubernetesProgram, runProgram } from '../charts/programs.ts';
import { renderTemplate } from './templates.ts';

const foundation = fileURLToPath(
  new URL('../../deploy/terraform/gantry/charts/gantry-foundation', import.meta.url),
);

const run = async (name: 'helm' | 'kubectl', args: string[], input = ''): Promise<string> => {
  const { code, output, errors } = await runProgram(kubernetesProgram(name), args, input);
  if (code === 0) return output;
  throw Object.assign(new Error(`${name} ${args[0]}: ${errors.trim()}`), { code: 'CLUSTER_FAILED' });
};

const variables = (repository: string, tag: string) => ({
  gantry: {
    image: { repository, tag, pull_policy: 'IfNotPresent' },
    rabbitmq_in_cluster: true,
    rabbitmq_secret: 'rabbitmq-credentials',
    rabbitmq_secret_is_made: false,
    rabbitmq_nodes: 1,
    queue: null,
    storage_class: '',
    database_secret: null,
    database_url: '',
    database_port: 5432,
    database_ca: false,
    volume_handle: null,
    s3_url: null,
    region: '',
    ingress: null,
    web_servers: 2,
    keda: false,
    consumers: { min: 1, max: 1, queue_length: 200 },
  },
  foundation: {
    region: '',
    secrets: null,
    database: null,
    database_secret: null,
    rabbitmq_secret: 'rabbitmq-credentials',
    volume_handle: null,
    kms_key_arn: null,
    storage_class: '',
  },
});

/** Throws `CLUSTER_FAILED` with what helm or kubectl says. The namespace is deleted in either case. */
export const tryOnCluster = async (image: string): Promise<void> => {
  const [repository = image, tag = 'latest'] = image.split(/:(?=[^:/]+$)/);
  const namespace = `gantry-terraform-${randomBytes(3).toString('hex')}`;
  const began = Date.now();
  const say = (text: string): void => console.log(`${((Date.now() - began) / 1000).toFixed(0)} s: ${text}`);
  const given = variables(repository, tag);
  const install = (release: string, chart: string, values: string): Promise<string> =>
    run(
      'helm',
      ['install', release, chart, '-n', namespace, '--values', '-', '--wait', '--timeout', '10m'],
      values,
    );
  await run('kubectl', ['create', 'namespace', namespace]);
  try {
    await run('kubectl', ['label', 'namespace', namespace, 'pod-security.kubernetes.io/enforce=restricted']);
    await install('gantry-foundation', foundation, renderTemplate('foundation', given.foundation));
    say('the foundation is there');
    await install('gantry', chartFolder('gantry'), renderTemplate('gantry', given.gantry));
    say('Gantry is ready: two web servers on PostgreSQL, a consumer, RabbitMQ');
    await run('helm', ['test', 'gantry', '-n', namespace, '--timeout', '5m']);
    say('a picture was uploaded, and came out right');
    const audit = [
      'exec',
      '-n',
      namespace,
      'deployment/web-server',
      '-c',
      'web-server',
      '--',
      'gantry',
      'audit',
    ];
    say((await run('kubectl', audit)).trim().split('\n').at(-1) ?? '');
    await run('helm', ['uninstall', 'gantry', '-n', namespace, '--wait']);
    await run('helm', ['uninstall', 'gantry-foundation', '-n', namespace, '--wait']);
    say('the releases are gone');
  } finally {
    await run('kubectl', ['delete', 'namespace', namespace, '--wait=true', '--timeout=5m']);
    say('and so is the namespace');
  }
};
