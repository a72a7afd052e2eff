locals {
  uses_amazon_mq = var.queue.kind == "amazon_mq"
}

resource "aws_security_group" "queue" {
  count       = local.uses_amazon_mq ? 1 : 0
  name        = "${var.name}-queue"
  description = "AMQP and management API from the nodes"
  vpc_id      = module.vpc.vpc_id
  tags        = { Name = "${var.name}-queue" }
}

resource "aws_vpc_security_group_ingress_rule" "queue" {
  for_each                     = local.uses_amazon_mq ? { amqps = 5671, management = 443 } : {}
  description                  = "${each.key} from the nodes"
  security_group_id            = aws_security_group.queue[0].id
  referenced_security_group_id = module.eks.node_security_group_id
  ip_protocol                  = "tcp"
  from_port                    = each.value
  to_port                      = each.value
}

# Amazon MQ takes no write-only password: this one is in the state, which is why the state is encrypted.
resource "random_password" "queue" {
  count   = local.uses_amazon_mq ? 1 : 0
  length  = 40
  special = false
  keepers = { version = var.password_versions.rabbitmq }
}

resource "aws_mq_broker" "queue" {
  count              = local.uses_amazon_mq ? 1 : 0
  broker_name        = var.name
  engine_type        = "RabbitMQ"
  engine_version     = var.queue.engine_version
  host_instance_type = var.queue.instance_type
  deployment_mode    = var.queue.cluster ? "CLUSTER_MULTI_AZ" : "SINGLE_INSTANCE"

  subnet_ids          = var.queue.cluster ? module.vpc.private_subnets : slice(module.vpc.private_subnets, 0, 1)
  security_groups     = [aws_security_group.queue[0].id]
  publicly_accessible = false

  # Patches only; Amazon MQ asks for it.
  auto_minor_version_upgrade = true
  maintenance_window_start_time {
    day_of_week = "SUNDAY"
    time_of_day = "04:30"
    time_zone   = "UTC"
  }

  encryption_options {
    use_aws_owned_key = false
    kms_key_id        = aws_kms_key.data.arn
  }
  logs {
    general = true
  }
  user {
    username = "gantry"
    password = random_password.queue[0].result
  }
}
