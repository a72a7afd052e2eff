output "kubeconfig_command" {
  description = "What makes kubectl and helm talk to the cluster"
  value       = "aws eks update-kubeconfig --region ${var.region} --name ${module.eks.cluster_name}"
}

output "gantry" {
  description = "The variables of deploy/terraform/gantry for this cluster; nothing in it is secret"
  value = {
    namespace = local.namespace

    operators = {
      keda                     = true
      external_secrets         = true
      load_balancer_controller = true
      cluster_autoscaler       = true
      nvidia_device_plugin     = var.gpu_nodes.enabled
    }
    cluster = {
      name   = module.eks.cluster_name
      region = var.region
      vpc_id = module.vpc.vpc_id
    }

    secrets = {
      database_admin = local.database_admin_secret_arn
      database       = aws_secretsmanager_secret_version.database.arn
      rabbitmq       = aws_secretsmanager_secret_version.rabbitmq.arn
      erlang_cookie  = one(aws_secretsmanager_secret_version.erlang_cookie[*].arn)
    }
    password_versions = var.password_versions

    database = {
      host = aws_db_instance.database.address
      port = aws_db_instance.database.port
      name = aws_db_instance.database.db_name
      ca   = data.http.database_ca.response_body
    }
    queue = local.uses_amazon_mq ? {
      url            = aws_mq_broker.queue[0].instances[0].endpoints[0]
      management_url = aws_mq_broker.queue[0].instances[0].console_url
    } : null
    images = {
      volume_handle = local.uses_efs ? "${aws_efs_file_system.images[0].id}::${aws_efs_access_point.images[0].id}" : null
      s3_url        = local.uses_s3 ? "s3://${aws_s3_bucket.images[0].id}" : null
    }
    kms_key_arn = aws_kms_key.data.arn

    ingress = {
      host            = var.domain
      certificate_arn = local.certificate_arn
      cidrs           = var.ingress_cidrs
    }
  }

  # Nothing is installed on a cluster that cannot mount the file system yet.
  depends_on = [aws_efs_mount_target.images, aws_efs_file_system_policy.images]
}
