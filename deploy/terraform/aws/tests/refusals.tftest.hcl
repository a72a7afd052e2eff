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

run "open_kubernetes_api" {
  command = plan
  variables {
    cluster_endpoint_public_access_cidrs = ["0.0.0.0/0"]
  }
  expect_failures = [var.cluster_endpoint_public_access_cidrs]
}

run "kubernetes_api_for_no_range" {
  command = plan
  variables {
    cluster_endpoint_public_access_cidrs = ["office"]
  }
  expect_failures = [var.cluster_endpoint_public_access_cidrs]
}

run "untested_kubernetes" {
  command = plan
  variables {
    kubernetes_version = "1.28"
  }
  expect_failures = [var.kubernetes_version]
}

run "name_too_long" {
  command = plan
  variables {
    name = "gantry-for-nineteen"
  }
  expect_failures = [var.name]
}

run "two_dashes_in_a_row" {
  command = plan
  variables {
    name = "gantry--eu"
  }
  expect_failures = [var.name]
}

run "network_too_small" {
  command = plan
  variables {
    vpc_cidr = "10.0.0.0/20"
  }
  expect_failures = [var.vpc_cidr]
}

run "other_nat_gateways" {
  command = plan
  variables {
    nat_gateways = "two"
  }
  expect_failures = [var.nat_gateways]
}

run "one_node" {
  command = plan
  variables {
    nodes = { min = 1 }
  }
  expect_failures = [var.nodes]
}

run "gpu_bounds" {
  command = plan
  variables {
    gpu_nodes = { enabled = true, min = 3, max = 2 }
  }
  expect_failures = [var.gpu_nodes]
}

run "other_storage" {
  command = plan
  variables {
    image_storage = "ebs"
  }
  expect_failures = [var.image_storage]
}

run "no_backups" {
  command = plan
  variables {
    database = { backup_days = 0 }
  }
  expect_failures = [var.database]
}

run "no_room_to_grow" {
  command = plan
  variables {
    database = { storage_gib = 100, max_storage_gib = 100 }
  }
  expect_failures = [var.database]
}

run "other_queue" {
  command = plan
  variables {
    queue = { kind = "sqs" }
  }
  expect_failures = [var.queue]
}

run "rabbitmq_4_on_m5" {
  command = plan
  variables {
    queue = { instance_type = "mq.m5.large" }
  }
  expect_failures = [var.queue]
}

run "small_cluster_of_queues" {
  command = plan
  variables {
    queue = { instance_type = "mq.m7g.medium" }
  }
  expect_failures = [var.queue]
}

run "no_host_name" {
  command = plan
  variables {
    domain = "https://gantry.example.com"
  }
  expect_failures = [var.domain]
}

run "no_tls" {
  command = plan
  variables {
    hosted_zone_id = null
  }
  expect_failures = [var.certificate_arn]
}

run "nobody_may_upload" {
  command = plan
  variables {
    ingress_cidrs = []
  }
  expect_failures = [var.ingress_cidrs]
}

run "logs_for_ever" {
  command = plan
  variables {
    log_retention_days = 0
  }
  expect_failures = [var.log_retention_days]
}

run "budget_that_nobody_reads" {
  command = plan
  variables {
    budget = { monthly_usd = 900, emails = [] }
  }
  expect_failures = [var.budget]
}

run "two_zones" {
  command = plan
  variables {
    zones = ["eu-central-1a", "eu-central-1b", "eu-central-1a"]
  }
  expect_failures = [var.zones]
}

run "zones_of_another_region" {
  command = plan
  variables {
    zones = ["us-east-1a", "us-east-1b", "us-east-1c"]
  }
  expect_failures = [var.zones]
}

run "name_instead_of_a_zone" {
  command = plan
  variables {
    hosted_zone_id = "example.com"
  }
  expect_failures = [var.hosted_zone_id]
}

run "certificate_of_another_region" {
  command = plan
  variables {
    certificate_arn = "arn:aws:acm:us-east-1:123456789012:certificate/1"
  }
  expect_failures = [var.certificate_arn]
}
