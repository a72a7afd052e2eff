# Nothing is asked of AWS: providers are mocked, and the community modules give these.
mock_provider "aws" {
  source = "./tests/mocks"
}
mock_provider "http" {
  source = "./tests/mocks"
}

# Ephemeral resources cannot be mocked: the provider random is the real one, but for what would be in the state.
override_resource {
  target = random_password.queue
}

override_module {
  target = module.vpc
  outputs = {
    vpc_id                     = "vpc-1"
    private_subnets            = ["subnet-1", "subnet-2", "subnet-3"]
    public_subnets             = ["subnet-4", "subnet-5", "subnet-6"]
    private_route_table_ids    = ["rtb-1"]
    database_subnet_group_name = "gantry"
  }
}
override_module {
  target  = module.eks
  outputs = { cluster_name = "gantry", node_security_group_id = "sg-1" }
}
override_module {
  target  = module.ebs_csi_identity
  outputs = { iam_role_arn = "arn:aws:iam::123456789012:role/ebs" }
}
override_module {
  target  = module.efs_csi_identity
  outputs = { iam_role_arn = "arn:aws:iam::123456789012:role/efs" }
}
override_module {
  target  = module.external_dns_identity
  outputs = { iam_role_arn = "arn:aws:iam::123456789012:role/dns" }
}
override_module {
  target  = module.cloudwatch_identity
  outputs = { iam_role_arn = "arn:aws:iam::123456789012:role/logs" }
}
override_module {
  target  = module.load_balancer_identity
  outputs = { iam_role_arn = "arn:aws:iam::123456789012:role/load-balancer" }
}
override_module {
  target  = module.cluster_autoscaler_identity
  outputs = { iam_role_arn = "arn:aws:iam::123456789012:role/autoscaler" }
}
override_module {
  target  = module.external_secrets_identity
  outputs = { iam_role_arn = "arn:aws:iam::123456789012:role/secrets" }
}
override_module {
  target  = module.image_identity
  outputs = { iam_role_arn = "arn:aws:iam::123456789012:role/images" }
}

variables {
  region                               = "eu-central-1"
  cluster_endpoint_public_access_cidrs = ["198.51.100.7/32"]
  domain                               = "gantry.example.com"
  hosted_zone_id                       = "Z1"
  ingress_cidrs                        = ["198.51.100.0/24"]
  budget                               = { monthly_usd = 900, emails = ["team@example.com"] }
}

run "s3_instead_of_efs" {
  command = plan
  variables {
    image_storage = "s3"
  }

  assert {
    condition     = length(aws_efs_file_system.images) == 0 && length(aws_efs_mount_target.images) == 0 && length(module.efs_csi_identity) == 0 && !contains(keys(local.addons), "aws-efs-csi-driver")
    error_message = "There is no EFS."
  }
  assert {
    condition     = aws_s3_bucket.images[0].bucket == "gantry-images-123456789012-eu-central-1" && !aws_s3_bucket.images[0].force_destroy
    error_message = "The bucket is named after account and region, and refuses to be deleted with images in it."
  }
  assert {
    condition     = aws_s3_bucket_public_access_block.images[0].restrict_public_buckets && aws_s3_bucket_public_access_block.images[0].block_public_policy
    error_message = "The bucket is not public."
  }
  assert {
    condition     = keys(module.image_identity) == ["consumer", "web_server"]
    error_message = "Web server and consumer have a role each."
  }
}

run "gpu_nodes" {
  command = plan
  variables {
    gpu_nodes = { enabled = true, max = 4 }
  }

  assert {
    condition     = local.node_groups.gpu.ami_type == "AL2023_x86_64_NVIDIA" && local.node_groups.gpu.min_size == 0 && local.node_groups.gpu.max_size == 4
    error_message = "GPU nodes have NVIDIA's driver, and there are none until one is needed."
  }
  assert {
    condition     = local.node_groups.gpu.taints.gpu.effect == "NO_SCHEDULE" && local.node_groups.gpu.labels["gantry/accelerator"] == "nvidia"
    error_message = "Only what asks for a GPU runs there."
  }
}

run "rabbitmq_in_the_cluster" {
  command = plan
  variables {
    queue = { kind = "in_cluster" }
  }

  assert {
    condition     = length(aws_mq_broker.queue) == 0 && length(aws_security_group.queue) == 0 && length(random_password.queue) == 0 && output.gantry.queue == null
    error_message = "There is no Amazon MQ."
  }
  assert {
    condition     = length(aws_secretsmanager_secret.erlang_cookie) == 1
    error_message = "RabbitMQ's nodes have a cookie."
  }
}

run "small" {
  command = plan
  variables {
    deletion_protection = false
    container_logs      = false
    database            = { multi_az = false, instance_class = "db.t4g.micro", storage_gib = 20 }
    queue               = { cluster = false, instance_type = "mq.m7g.medium" }
  }

  assert {
    condition     = aws_mq_broker.queue[0].deployment_mode == "SINGLE_INSTANCE" && length(aws_mq_broker.queue[0].subnet_ids) == 1
    error_message = "One broker lies in one subnet."
  }
  assert {
    condition     = aws_db_instance.database.skip_final_snapshot && !aws_db_instance.database.deletion_protection && aws_secretsmanager_secret.database.recovery_window_in_days == 0
    error_message = "Without protection everything can be deleted."
  }
  assert {
    condition     = length(aws_cloudwatch_log_group.containers) == 0 && length(module.cloudwatch_identity) == 0
    error_message = "Containers' logs stay on the nodes."
  }
}

run "certificate_of_ones_own" {
  command = plan
  variables {
    hosted_zone_id  = null
    certificate_arn = "arn:aws:acm:eu-central-1:123456789012:certificate/1"
  }

  assert {
    condition     = length(aws_acm_certificate.page) == 0 && length(aws_route53_record.validation) == 0 && length(module.external_dns_identity) == 0
    error_message = "No certificate is made, and nothing written into a zone."
  }
  assert {
    condition     = output.gantry.ingress.certificate_arn == "arn:aws:acm:eu-central-1:123456789012:certificate/1"
    error_message = "The load balancer shows the certificate that was given."
  }
}

run "new_passwords" {
  command = plan
  variables {
    password_versions = { database = 2, rabbitmq = 3 }
  }

  assert {
    condition     = aws_secretsmanager_secret_version.database.secret_string_wo_version == 2 && aws_secretsmanager_secret_version.rabbitmq.secret_string_wo_version == 7 && random_password.queue[0].keepers.version == "3"
    error_message = "A new version is a new password."
  }
}
