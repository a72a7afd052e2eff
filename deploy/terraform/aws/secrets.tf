# What Gantry logs in with. external-secrets makes the charts' Secrets from these (deploy/terraform/gantry).

locals {
  # Deleted for good after a week, so that a mistake can be undone; at once where nothing is to be protected.
  secret_recovery_days = var.deletion_protection ? 7 : 0
}

resource "aws_secretsmanager_secret" "database" {
  name                    = "${var.name}/database"
  description             = "Gantry's user of PostgreSQL: username, password"
  kms_key_id              = aws_kms_key.data.arn
  recovery_window_in_days = local.secret_recovery_days
}

# Neither in the plan nor in the state: made anew each time, and sent only with a new version.
ephemeral "random_password" "database" {
  length  = 40
  special = false
}

resource "aws_secretsmanager_secret_version" "database" {
  secret_id                = aws_secretsmanager_secret.database.id
  secret_string_wo         = jsonencode({ username = "gantry", password = ephemeral.random_password.database.result })
  secret_string_wo_version = var.password_versions.database
}

resource "aws_secretsmanager_secret" "rabbitmq" {
  name                    = "${var.name}/rabbitmq"
  description             = "Gantry's user of RabbitMQ: username, password"
  kms_key_id              = aws_kms_key.data.arn
  recovery_window_in_days = local.secret_recovery_days
}

ephemeral "random_password" "rabbitmq" {
  length  = 40
  special = false
}

resource "aws_secretsmanager_secret_version" "rabbitmq" {
  secret_id = aws_secretsmanager_secret.rabbitmq.id
  secret_string_wo = jsonencode({
    username = "gantry"
    password = local.uses_amazon_mq ? one(random_password.queue[*].result) : ephemeral.random_password.rabbitmq.result
  })
  # Another kind of queue has another password, and so another version.
  secret_string_wo_version = 2 * var.password_versions.rabbitmq + (local.uses_amazon_mq ? 1 : 0)
}

# What the nodes of a RabbitMQ in the cluster know each other by. Never changed: nodes of two minds would not meet.
resource "aws_secretsmanager_secret" "erlang_cookie" {
  count                   = local.uses_amazon_mq ? 0 : 1
  name                    = "${var.name}/erlang-cookie"
  description             = "Cookie of RabbitMQ's nodes"
  kms_key_id              = aws_kms_key.data.arn
  recovery_window_in_days = local.secret_recovery_days
}

ephemeral "random_password" "erlang_cookie" {
  length  = 40
  special = false
}

resource "aws_secretsmanager_secret_version" "erlang_cookie" {
  count                    = local.uses_amazon_mq ? 0 : 1
  secret_id                = aws_secretsmanager_secret.erlang_cookie[0].id
  secret_string_wo         = jsonencode({ cookie = ephemeral.random_password.erlang_cookie.result })
  secret_string_wo_version = 1
}
