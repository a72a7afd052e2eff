/** Variables of the two templates of values, as deploy/terraform/gantry gives them. */
export type Case = { name: string; gantry: Record<string, unknown>; foundation: Record<string, unknown> };

const arn = (name: string): string => `arn:aws:secretsmanager:eu-central-1:123456789012:secret:${name}`;

const secrets = (cookie: string | null): object => ({
  database_admin: arn('rds'),
  database: arn('database'),
  rabbitmq: arn('rabbitmq'),
  erlang_cookie: cookie,
});

const onAws: Case = {
  name: 'EFS, RDS and Amazon MQ',
  gantry: {
    image: { repository: 'registry.example.com/gantry', tag: '0.1.0', pull_policy: 'IfNotPresent' },
    rabbitmq_in_cluster: false,
    rabbitmq_secret: 'rabbitmq-credentials-1',
    rabbitmq_secret_is_made: true,
    rabbitmq_nodes: 3,
    queue: { url: 'amqps://mq.example.com:5671', management_url: 'https://mq.example.com', vhost: '/' },
    storage_class: 'gantry-gp3',
    database_secret: 'database-credentials-1',
    database_url: 'postgres://db.example.com:5432/gantry?sslmode=verify-full',
    database_port: 5432,
    database_ca: true,
    volume_handle: 'fs-0123::fsap-4567',
    s3_url: null,
    region: 'eu-central-1',
    ingress: {
      host: 'gantry.example.com',
      certificate_arn: 'arn:aws:acm:eu-central-1:123456789012:certificate/1',
      cidrs: ['198.51.100.0/24', '203.0.113.7/32'],
    },
    web_servers: 2,
    keda: true,
    consumers: { min: 1, max: 20, queue_length: 200 },
  },
  foundation: {
    region: 'eu-central-1',
    secrets: secrets(null),
    database: {
      host: 'db.example.com',
      port: 5432,
      name: 'gantry',
      ca: '-----BEGIN CERTIFICATE-----\nMII\n',
    },
    database_secret: 'database-credentials-1',
    rabbitmq_secret: 'rabbitmq-credentials-1',
    volume_handle: 'fs-0123::fsap-4567',
    kms_key_arn: 'arn:aws:kms:eu-central-1:123456789012:key/1',
    storage_class: 'gantry-gp3',
  },
};

const inBucket: Case = {
  name: 'S3, and RabbitMQ in the cluster',
  gantry: {
    ...onAws.gantry,
    ...{ queue: null, rabbitmq_in_cluster: true, volume_handle: null, s3_url: 's3://pictures' },
  },
  foundation: { ...onAws.foundation, secrets: secrets(arn('cookie')), volume_handle: null },
};

const forTrials: Case = {
  name: 'everything in the cluster, no operators',
  gantry: {
    ...inBucket.gantry,
    ...{ s3_url: null, ingress: null, keda: false, storage_class: '', web_servers: 2 },
    ...{ rabbitmq_nodes: 1, rabbitmq_secret: 'rabbitmq-credentials', rabbitmq_secret_is_made: false },
    ...{ database_secret: null, database_url: '', database_ca: false },
  },
  foundation: {
    ...{ region: '', secrets: null, database: null, database_secret: null, volume_handle: null },
    ...{ rabbitmq_secret: 'rabbitmq-credentials', kms_key_arn: null, storage_class: '' },
  },
};

const ownSecrets: Case = {
  name: "Secrets of one's own",
  gantry: {
    ...onAws.gantry,
    ...{
      database_secret: 'pg',
      rabbitmq_secret: 'mq',
      database_ca: false,
      ingress: null,
      volume_handle: null,
    },
  },
  foundation: {
    ...forTrials.foundation,
    ...{ database: { host: 'db.example.com', port: 5432, name: 'gantry', ca: null }, database_secret: 'pg' },
    rabbitmq_secret: 'mq',
  },
};

export const cases: Case[] = [onAws, inBucket, forTrials, ownSecrets];
