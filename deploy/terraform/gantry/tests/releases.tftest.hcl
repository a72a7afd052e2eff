# Nothing is installed: providers are mocked.
mock_provider "helm" {}
mock_provider "kubernetes" {}

variables {
  image = { repository = "registry.example.com/gantry" }
}

run "for_trials" {
  command = plan

  assert {
    condition     = length(helm_release.keda) + length(helm_release.external_secrets) + length(helm_release.load_balancer_controller) + length(helm_release.cluster_autoscaler) + length(helm_release.nvidia_device_plugin) == 0
    error_message = "A cluster gets no operators unless asked for."
  }
  assert {
    condition     = yamldecode(helm_release.gantry.values[0]).rabbitmq.replicas == 3 && yamldecode(helm_release.gantry.values[0]).postgresql.enabled
    error_message = "RabbitMQ and PostgreSQL come along."
  }
  assert {
    condition     = yamldecode(helm_release.gantry.values[0])["web-server"].replicaCount == 2
    error_message = "There are two web servers."
  }
  assert {
    condition     = kubernetes_namespace_v1.gantry.metadata[0].labels["pod-security.kubernetes.io/enforce"] == "restricted"
    error_message = "The namespace refuses pods with privileges."
  }
  assert {
    condition     = length(kubernetes_namespace_v1.gantry.metadata[0].labels) == 1
    error_message = "Pods wait for no load balancer where there is none."
  }
}

run "on_aws" {
  command = plan
  variables {
    operators = { keda = true, external_secrets = true, load_balancer_controller = true, cluster_autoscaler = true }
    cluster   = { name = "gantry", region = "eu-central-1", vpc_id = "vpc-1" }
    secrets = {
      database_admin = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:rds"
      database       = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:database"
      rabbitmq       = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:rabbitmq"
    }
    password_versions = { database = 4 }
    database          = { host = "gantry.rds.example.com", ca = "-----BEGIN CERTIFICATE-----\n" }
    queue             = { url = "amqps://mq.example.com:5671", management_url = "https://mq.example.com" }
    images            = { volume_handle = "fs-1::fsap-1" }
    kms_key_arn       = "arn:aws:kms:eu-central-1:123456789012:key/1"
    ingress           = { host = "gantry.example.com", certificate_arn = "arn:aws:acm:eu-central-1:123456789012:certificate/1", cidrs = ["198.51.100.0/24"] }
    consumers         = { min = 0, max = 50 }
    values            = ["web-server: { config: { logLevel: warn } }"]
  }

  assert {
    condition     = helm_release.keda[0].version == "2.21.1" && helm_release.external_secrets[0].version == "2.9.0"
    error_message = "Operators have exact versions."
  }
  assert {
    condition     = yamldecode(helm_release.load_balancer_controller[0].values[0]).vpcId == "vpc-1"
    error_message = "The load balancer controller knows its VPC."
  }
  assert {
    condition     = !yamldecode(helm_release.load_balancer_controller[0].values[0]).enableServiceMutatorWebhook
    error_message = "Other releases need no answer of the load balancer controller to make their Services."
  }
  assert {
    condition     = kubernetes_namespace_v1.gantry.metadata[0].labels["elbv2.k8s.aws/pod-readiness-gate-inject"] == "enabled"
    error_message = "A web server is ready once the load balancer sends it requests."
  }
  assert {
    condition     = !yamldecode(helm_release.gantry.values[0]).rabbitmq.enabled && !yamldecode(helm_release.gantry.values[0]).postgresql.enabled
    error_message = "Database and queue are elsewhere."
  }
  assert {
    condition     = yamldecode(helm_release.gantry.values[0])["web-server"].database.existingSecret == "database-credentials-4" && yamldecode(helm_release.foundation.values[0]).names.databaseSecret == "database-credentials-4"
    error_message = "A new version of a password is a new Secret, in both releases."
  }
  assert {
    condition     = yamldecode(helm_release.gantry.values[0]).consumer.keda.maxReplicas == 50 && yamldecode(helm_release.gantry.values[0]).consumer.keda.managementUrl == "https://mq.example.com"
    error_message = "KEDA scales the consumers by the queue."
  }
  assert {
    condition     = yamldecode(helm_release.gantry.values[0])["web-server"].ingress.annotations["alb.ingress.kubernetes.io/inbound-cidrs"] == "198.51.100.0/24"
    error_message = "Only those who may reach the load balancer do."
  }
  assert {
    condition     = helm_release.gantry.values[1] == "web-server: { config: { logLevel: warn } }"
    error_message = "One's own values come last."
  }
  assert {
    condition     = output.url == "https://gantry.example.com"
    error_message = "The address is said."
  }
}
