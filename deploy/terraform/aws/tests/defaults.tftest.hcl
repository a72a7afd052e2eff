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

run "defaults" {
  command = plan

  assert {
    condition     = length(aws_efs_access_point.images) == 1 && length(aws_s3_bucket.images) == 0
    error_message = "Images lie on EFS."
  }
  assert {
    condition     = aws_efs_access_point.images[0].posix_user[0].uid == 1000 && aws_efs_access_point.images[0].root_directory[0].creation_info[0].owner_gid == 1000
    error_message = "Everything in the access point belongs to the user of the pods."
  }
  assert {
    condition     = aws_efs_file_system.images[0].encrypted && length(aws_efs_mount_target.images) == 3
    error_message = "The file system is encrypted, and reached from each zone."
  }
  assert {
    condition     = keys(local.node_groups) == ["general"]
    error_message = "There are no GPU nodes."
  }
  assert {
    condition     = length(local.private_subnets) == 3 && local.private_subnets[2] == "10.0.32.0/20" && local.public_subnets[0] == "10.0.48.0/24" && local.database_subnets[2] == "10.0.54.0/24"
    error_message = "The subnets of three zones do not overlap."
  }
  assert {
    condition     = aws_db_instance.database.storage_encrypted && aws_db_instance.database.deletion_protection && aws_db_instance.database.multi_az && !aws_db_instance.database.publicly_accessible
    error_message = "The database is encrypted, protected, in two zones and not public."
  }
  assert {
    condition     = aws_db_instance.database.backup_retention_period == 14 && !aws_db_instance.database.skip_final_snapshot
    error_message = "The database is backed up."
  }
  assert {
    condition     = contains([for parameter in aws_db_parameter_group.database.parameter : "${parameter.name}=${parameter.value}"], "rds.force_ssl=1")
    error_message = "The database takes only TLS."
  }
  assert {
    condition     = aws_db_instance.database.manage_master_user_password && aws_db_instance.database.password == null
    error_message = "The administrator's password is RDS' own."
  }
  assert {
    condition     = aws_mq_broker.queue[0].deployment_mode == "CLUSTER_MULTI_AZ" && !aws_mq_broker.queue[0].publicly_accessible && aws_mq_broker.queue[0].engine_version == "4.2"
    error_message = "The queue is a cluster of Amazon MQ."
  }
  assert {
    condition     = alltrue([for rule in concat([aws_vpc_security_group_ingress_rule.database], aws_vpc_security_group_ingress_rule.efs, values(aws_vpc_security_group_ingress_rule.queue)) : rule.cidr_ipv4 == null && rule.referenced_security_group_id == "sg-1"])
    error_message = "Database, file system and queue are reached from the nodes only."
  }
  assert {
    condition     = length(aws_acm_certificate.page) == 1 && aws_acm_certificate.page[0].validation_method == "DNS"
    error_message = "A certificate is made, and proved by DNS."
  }
  assert {
    condition     = length(aws_secretsmanager_secret.erlang_cookie) == 0 && output.gantry.secrets.erlang_cookie == null
    error_message = "Amazon MQ needs no cookie."
  }
  assert {
    condition     = length(aws_budgets_budget.monthly.notification) == 2
    error_message = "Somebody is told of the cost."
  }
  assert {
    condition     = aws_cloudwatch_log_group.containers["application"].retention_in_days == 365
    error_message = "Logs are kept for a year."
  }
}
