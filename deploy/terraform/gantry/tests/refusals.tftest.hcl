mock_provider "helm" {}
mock_provider "kubernetes" {}

variables {
  image = { repository = "registry.example.com/gantry" }
}

run "controller_without_cluster" {
  command = plan
  variables {
    operators = { load_balancer_controller = true }
  }
  expect_failures = [var.cluster]
}

run "secrets_of_no_region" {
  command = plan
  variables {
    secrets  = { database_admin = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:x", database = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:x", rabbitmq = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:x" }
    database = { host = "db.example.com" }
    queue    = { url = "amqps://mq.example.com:5671" }
  }
  expect_failures = [var.secrets]
}

run "secrets_without_database" {
  command = plan
  variables {
    cluster = { name = "gantry", region = "eu-central-1", vpc_id = "vpc-1" }
    secrets = { database_admin = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:x", database = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:x", rabbitmq = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:x" }
    queue   = { url = "amqps://mq.example.com:5671" }
  }
  expect_failures = [var.database]
}

run "secrets_twice" {
  command = plan
  variables {
    cluster          = { name = "gantry", region = "eu-central-1", vpc_id = "vpc-1" }
    secrets          = { database_admin = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:x", database = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:x", rabbitmq = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:x" }
    database         = { host = "db.example.com" }
    queue            = { url = "amqps://mq.example.com:5671" }
    existing_secrets = { database = "db" }
  }
  expect_failures = [var.existing_secrets]
}

run "database_without_user" {
  command = plan
  variables {
    database = { host = "db.example.com" }
  }
  expect_failures = [var.database]
}

run "queue_without_user" {
  command = plan
  variables {
    queue = { url = "amqps://mq.example.com:5671" }
  }
  expect_failures = [var.queue]
}

run "keda_without_management_api" {
  command = plan
  variables {
    operators        = { keda = true }
    existing_secrets = { rabbitmq = "mq" }
    queue            = { url = "amqps://mq.example.com:5671" }
  }
  expect_failures = [var.queue]
}

run "rabbitmq_without_cookie" {
  command = plan
  variables {
    cluster  = { name = "gantry", region = "eu-central-1", vpc_id = "vpc-1" }
    secrets  = { database_admin = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:x", database = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:x", rabbitmq = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:x" }
    database = { host = "db.example.com" }
  }
  expect_failures = [var.queue]
}

run "two_nodes_of_rabbitmq" {
  command = plan
  variables {
    rabbitmq_nodes = 2
  }
  expect_failures = [var.rabbitmq_nodes]
}

run "images_twice" {
  command = plan
  variables {
    cluster = { name = "gantry", region = "eu-central-1", vpc_id = "vpc-1" }
    images  = { volume_handle = "fs-1::fsap-1", s3_url = "s3://pictures" }
  }
  expect_failures = [var.images]
}

run "bucket_of_no_region" {
  command = plan
  variables {
    images = { s3_url = "s3://pictures" }
  }
  expect_failures = [var.images]
}

run "fewer_than_the_fewest" {
  command = plan
  variables {
    consumers = { min = 3, max = 2 }
  }
  expect_failures = [var.consumers]
}

