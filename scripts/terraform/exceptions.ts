import type { Exception } from '../charts/scan.ts';

/** What the scan finds and we mean to keep. One that explains nothing any more is an error. */
export const exceptions: Exception[] = [
  {
    check: 'CKV_TF_1',
    objects: [
      ...[
        'vpc',
        'eks',
        'ebs_csi_identity',
        'efs_csi_identity',
        'external_dns_identity',
        'cloudwatch_identity',
      ],
      ...[
        'load_balancer_identity',
        'cluster_autoscaler_identity',
        'external_secrets_identity',
        'image_identity',
      ],
    ],
    reason: 'Modules come from the registry at exact versions, which it does not let anybody change.',
  },
  {
    check: 'CKV_AWS_133',
    objects: ['aws_db_instance.database'],
    reason: 'Backups are kept for 14 days; the scan does not see the default inside of an object.',
  },
  {
    check: 'CKV_AWS_157',
    objects: ['aws_db_instance.database'],
    reason: 'It is in two zones unless database.multi_az says otherwise; the scan does not see that default.',
  },
  {
    check: 'CKV_AWS_161',
    objects: ['aws_db_instance.database'],
    reason:
      'Gantry logs in with a password; tokens of IAM end after 15 minutes, and the pool would need new ones.',
  },
  {
    check: 'CKV_AWS_109',
    objects: ['aws_iam_policy_document.key'],
    reason: "A key's policy must let the account administer it, or nobody could; `*` in it is this key.",
  },
  {
    check: 'CKV_AWS_111',
    objects: ['aws_iam_policy_document.key'],
    reason: "A key's policy must let the account administer it, or nobody could; `*` in it is this key.",
  },
  {
    check: 'CKV_AWS_356',
    objects: ['aws_iam_policy_document.key'],
    reason: "A key's policy must let the account administer it, or nobody could; `*` in it is this key.",
  },
  {
    check: 'CKV_AWS_394',
    objects: ['aws_availability_zones.available'],
    reason: 'Only without `zones`; production.tfvars.example sets them.',
  },
  {
    check: 'CKV2_AWS_62',
    objects: ['aws_s3_bucket.images'],
    reason: 'Nobody waits for events of the bucket: the web server stores the images, and knows it.',
  },
  {
    check: 'CKV_AWS_18',
    objects: ['aws_s3_bucket.images'],
    reason: "Only two roles may read it; who needs a log of each access turns on CloudTrail's data events.",
  },
  {
    check: 'CKV_AWS_144',
    objects: ['aws_s3_bucket.images'],
    reason: 'A second region doubles the cost; docs/deploy/eks.md says what a lost region would mean.',
  },
  {
    check: 'CKV2_AWS_57',
    objects: [
      ...['aws_secretsmanager_secret.database', 'aws_secretsmanager_secret.rabbitmq'],
      'aws_secretsmanager_secret.erlang_cookie',
    ],
    reason: 'Passwords change by password_versions, which also renews the pods; the cookie never may.',
  },
];
