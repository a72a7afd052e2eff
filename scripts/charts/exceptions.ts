import type { Exception } from './scan.ts';

const servers = [
  'Deployment/web-server',
  'Deployment/consumer',
  'StatefulSet/rabbitmq',
  'StatefulSet/postgresql',
  'Deployment/grafana',
];
const tests = ['Pod/web-server-test', 'Pod/consumer-test', 'Pod/rabbitmq-test'];
/** User 65534, which is high enough for the scan. */
const prometheus = ['Deployment/prometheus', 'Pod/prometheus-test'];
const jobs = ['CronJob/web-server-canary'];

/** What the scan finds and we mean to keep. One that explains nothing any more is an error. */
export const exceptions: Exception[] = [
  {
    check: 'CKV_K8S_43',
    objects: [...servers, ...tests, ...prometheus, ...jobs],
    reason:
      'An image has a digest once it is pushed: who deploys it may write it into image.tag (0.1.0@sha256:...).',
  },
  {
    check: 'CKV_K8S_15',
    objects: [...servers, ...tests, ...prometheus, ...jobs],
    reason:
      'Our tags are versions that do not move, and Minikube has the image without a registry to pull it from.',
  },
  {
    check: 'CKV_K8S_40',
    objects: [...servers, ...tests, ...jobs],
    reason:
      'Users 1000, 999 and 472 are those that the images and the files in them have; no folder of a node is mounted.',
  },
  {
    check: 'CKV_K8S_35',
    objects: ['Deployment/web-server', 'Deployment/consumer'],
    reason:
      'S3 keys are variables because the AWS SDK reads them there; workers, which decode pictures, get none.',
  },
  {
    check: 'CKV_K8S_35',
    objects: ['StatefulSet/postgresql'],
    reason: 'The image takes the password of a new database from a variable; this database is for trials.',
  },
  {
    check: 'CKV_K8S_8',
    objects: [...tests, 'Pod/prometheus-test'],
    reason: 'The pod of `helm test` serves nothing that a probe could ask, and ends by itself.',
  },
  {
    check: 'CKV_K8S_9',
    objects: [...tests, 'Pod/prometheus-test'],
    reason: 'The pod of `helm test` is behind no service, so nothing waits for it to be ready.',
  },
  {
    check: 'CKV2_K8S_6',
    objects: [...tests, 'Pod/prometheus-test'],
    reason: 'The pod of `helm test` serves nothing and calls what is to be tested, wherever that is.',
  },
];
