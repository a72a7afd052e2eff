locals {
  # A Secret of a new version has a new name: whoever needs it waits for it, and no pod starts with the old one.
  database_secret = var.secrets != null ? "database-credentials-${var.password_versions.database}" : var.existing_secrets.database
  rabbitmq_secret = var.secrets != null ? "rabbitmq-credentials-${var.password_versions.rabbitmq}" : coalesce(var.existing_secrets.rabbitmq, "rabbitmq-credentials")
  database_ca     = try(var.database.ca, null) != null
  database_url    = var.database == null ? "" : "postgres://${var.database.host}:${var.database.port}/${var.database.name}?sslmode=verify-full"
  storage_class   = var.kms_key_arn != null ? "gantry-gp3" : ""

  foundation_values = templatefile("${path.module}/values/foundation.yaml.tftpl", {
    region          = try(var.cluster.region, "")
    secrets         = var.secrets
    database        = var.database
    database_secret = local.database_secret
    rabbitmq_secret = local.rabbitmq_secret
    volume_handle   = var.images.volume_handle
    kms_key_arn     = var.kms_key_arn
    storage_class   = local.storage_class
  })

  gantry_values = templatefile("${path.module}/values/gantry.yaml.tftpl", {
    image                   = var.image
    rabbitmq_in_cluster     = var.queue == null
    rabbitmq_secret         = local.rabbitmq_secret
    rabbitmq_secret_is_made = var.secrets != null || var.existing_secrets.rabbitmq != null
    rabbitmq_nodes          = var.rabbitmq_nodes
    queue                   = var.queue
    storage_class           = local.storage_class
    database_secret         = local.database_secret
    database_url            = local.database_url
    database_port           = try(var.database.port, 5432)
    database_ca             = local.database_ca
    volume_handle           = var.images.volume_handle
    s3_url                  = var.images.s3_url
    region                  = try(var.cluster.region, "")
    ingress                 = var.ingress
    web_servers             = var.web_servers
    keda                    = var.operators.keda
    consumers               = var.consumers
  })
}

resource "kubernetes_namespace_v1" "gantry" {
  metadata {
    name = var.namespace
    labels = merge(
      { "pod-security.kubernetes.io/enforce" = "restricted" },
      # A new web server counts as ready once the load balancer sends it requests, and only then an old one goes.
      var.operators.load_balancer_controller ? { "elbv2.k8s.aws/pod-readiness-gate-inject" = "enabled" } : {},
    )
  }

  # At the end it goes before them: what they have put their finalizers on waits for them, and the load balancer with it.
  depends_on = [
    helm_release.external_secrets,
    helm_release.keda,
    helm_release.load_balancer_controller,
  ]

  lifecycle {
    # Labels that others put there.
    ignore_changes = [metadata[0].annotations]
  }
}

# What ties Gantry's charts to what lies outside: Secrets, the images' volume, a storage class, the database's user.
resource "helm_release" "foundation" {
  name          = "gantry-foundation"
  namespace     = kubernetes_namespace_v1.gantry.metadata[0].name
  chart         = "${path.module}/charts/gantry-foundation"
  values        = [local.foundation_values]
  timeout       = var.timeout_seconds
  wait          = true
  wait_for_jobs = true

  depends_on = [helm_release.external_secrets]
}

resource "helm_release" "gantry" {
  name      = "gantry"
  namespace = kubernetes_namespace_v1.gantry.metadata[0].name
  chart     = "${path.module}/../../../charts/gantry"
  values    = concat([local.gantry_values], var.values)
  timeout   = var.timeout_seconds
  wait      = true
  atomic    = true

  # At the end it goes first: the controllers take away the load balancer and the scaled objects that they made for it.
  depends_on = [
    helm_release.foundation,
    helm_release.keda,
    helm_release.load_balancer_controller,
  ]
}
