import { type KubernetesObject, nameOf } from './helm.ts';

type Trigger = {
  type: string;
  metadata: Record<string, string>;
  authenticationRef?: { name: string; kind?: string };
};
type ScaledObjectSpec = {
  scaleTargetRef: { name: string; kind?: string };
  minReplicaCount?: number;
  idleReplicaCount?: number;
  maxReplicaCount?: number;
  triggers: Trigger[];
};
type AuthenticationSpec = { secretTargetRef?: { parameter: string }[] };

// KEDA's schema takes any map as metadata, and its operator ignores names that it does not know: these are the ones
// that the RabbitMQ scaler reads from a trigger and from a TriggerAuthentication (pkg/scalers/rabbitmq_scaler.go of
// KEDA 2.21; keda.sh/docs/latest/scalers/rabbitmq-queue).
const triggerNames = new Set(
  (
    'host hostFromEnv protocol vhostName queueName mode value activationValue excludeUnacknowledged useRegex ' +
    'pageSize operation timeout unsafeSsl usernameFromEnv passwordFromEnv'
  ).split(' '),
);
const authenticationNames = new Set(
  (
    'host protocol vhostName username password tls ca cert key keyPassword workloadIdentityResource ' +
    'oauthTokenURI clientID clientSecret scopes'
  ).split(' '),
);

const unknownNames = (names: Iterable<string>, known: Set<string>, where: string): string[] =>
  [...names].filter((name) => !known.has(name)).map((name) => `${where} ${name} is not read by KEDA`);

const rabbitmqProblems = ({ metadata }: Trigger, parameters: string[]): string[] => {
  const given = new Set([...Object.keys(metadata), ...parameters]);
  const problems = unknownNames(Object.keys(metadata), triggerNames, 'trigger metadata');
  if (!given.has('host') && !given.has('hostFromEnv')) problems.push('trigger without host');
  if (!metadata.queueName) problems.push('trigger without queueName');
  // Over AMQP it counts only what no consumer holds, and takes busy consumers away.
  if (metadata.protocol !== 'http') problems.push('trigger protocol must be http');
  if (metadata.host !== undefined && !/^https?:\/\//.test(metadata.host)) {
    problems.push('trigger host must be the http(s) address of the management API');
  }
  if (/:\/\/[^/]*@/.test(metadata.host ?? '')) problems.push('trigger host holds credentials');
  if (metadata.mode !== 'QueueLength') problems.push('trigger mode must be QueueLength');
  if (!(Number(metadata.value) > 0)) problems.push('trigger value must be a number above 0');
  if (!(Number(metadata.activationValue ?? 0) >= 0))
    problems.push('trigger activationValue must be a number');
  if (parameters.includes('username') !== parameters.includes('password')) {
    problems.push('username and password must be given together');
  }
  return problems;
};

const triggerProblems = (trigger: Trigger, objects: KubernetesObject[]): string[] => {
  if (trigger.type !== 'rabbitmq') return [`trigger type ${trigger.type} is not rabbitmq`];
  const reference = trigger.authenticationRef;
  if (!reference) return rabbitmqProblems(trigger, []);
  const authentication = objects.find(
    ({ kind, metadata }) => kind === 'TriggerAuthentication' && metadata.name === reference.name,
  );
  if (!authentication) return [`authenticationRef ${reference.name} is not among the objects`];
  const { secretTargetRef = [] } = authentication.spec as AuthenticationSpec;
  const parameters = secretTargetRef.map(({ parameter }) => parameter);
  return [
    ...unknownNames(parameters, authenticationNames, 'TriggerAuthentication parameter'),
    ...rabbitmqProblems(trigger, parameters),
  ];
};

const countProblems = ({
  minReplicaCount,
  idleReplicaCount,
  maxReplicaCount,
}: ScaledObjectSpec): string[] => {
  const problems: string[] = [];
  const min = minReplicaCount ?? 0;
  if (min > (maxReplicaCount ?? 100)) problems.push('minReplicaCount is above maxReplicaCount');
  if (idleReplicaCount !== undefined && idleReplicaCount >= min) {
    problems.push('idleReplicaCount must be below minReplicaCount');
  }
  return problems;
};

const targetProblems = ({ scaleTargetRef }: ScaledObjectSpec, objects: KubernetesObject[]): string[] => {
  const { kind = 'Deployment', name } = scaleTargetRef;
  const target = objects.find((object) => nameOf(object) === `${kind}/${name}`);
  if (!target) return [`scaleTargetRef ${kind}/${name} is not among the objects`];
  const problems: string[] = [];
  if ((target.spec as { replicas?: number }).replicas !== undefined) {
    problems.push(`${kind}/${name} sets replicas, which each upgrade would set back`);
  }
  const rival = objects.find(
    (object) =>
      object.kind === 'HorizontalPodAutoscaler' &&
      (object.spec as ScaledObjectSpec).scaleTargetRef.name === scaleTargetRef.name,
  );
  if (rival) problems.push(`${nameOf(rival)} scales the same target`);
  return problems;
};

/** What KEDA's operator or its admission webhook would refuse or ignore, although the schema lets it pass. */
export const kedaProblems = (objects: KubernetesObject[]): string[] =>
  objects
    .filter(({ kind }) => kind === 'ScaledObject')
    .flatMap((object) => {
      const spec = object.spec as ScaledObjectSpec;
      return [
        ...countProblems(spec),
        ...targetProblems(spec, objects),
        ...spec.triggers.flatMap((trigger) => triggerProblems(trigger, objects)),
      ].map((problem) => `${nameOf(object)}: KEDA: ${problem}`);
    });
