# Roles of pods, by EKS Pod Identity: each for one service account, with what it needs and no more.

module "ebs_csi_identity" {
  source  = "terraform-aws-modules/eks-pod-identity/aws"
  version = "2.6.0"

  name                      = "${var.name}-ebs-csi"
  attach_aws_ebs_csi_policy = true
  aws_ebs_csi_kms_arns      = [aws_kms_key.data.arn]
}

module "efs_csi_identity" {
  count   = local.uses_efs ? 1 : 0
  source  = "terraform-aws-modules/eks-pod-identity/aws"
  version = "2.6.0"

  name                      = "${var.name}-efs-csi"
  attach_aws_efs_csi_policy = true
}

module "external_dns_identity" {
  count   = var.hosted_zone_id != null ? 1 : 0
  source  = "terraform-aws-modules/eks-pod-identity/aws"
  version = "2.6.0"

  name                          = "${var.name}-external-dns"
  attach_external_dns_policy    = true
  external_dns_hosted_zone_arns = ["arn:${local.partition}:route53:::hostedzone/${var.hosted_zone_id}"]
}

module "cloudwatch_identity" {
  count   = var.container_logs ? 1 : 0
  source  = "terraform-aws-modules/eks-pod-identity/aws"
  version = "2.6.0"

  name                                       = "${var.name}-cloudwatch"
  attach_aws_cloudwatch_observability_policy = true
}

module "load_balancer_identity" {
  source  = "terraform-aws-modules/eks-pod-identity/aws"
  version = "2.6.0"

  name                            = "${var.name}-load-balancer"
  attach_aws_lb_controller_policy = true
  associations = {
    controller = {
      cluster_name    = module.eks.cluster_name
      namespace       = "kube-system"
      service_account = "aws-load-balancer-controller"
    }
  }
}

module "cluster_autoscaler_identity" {
  source  = "terraform-aws-modules/eks-pod-identity/aws"
  version = "2.6.0"

  name                             = "${var.name}-cluster-autoscaler"
  attach_cluster_autoscaler_policy = true
  cluster_autoscaler_cluster_names = [var.name]
  associations = {
    autoscaler = {
      cluster_name    = module.eks.cluster_name
      namespace       = "kube-system"
      service_account = "cluster-autoscaler"
    }
  }
}

module "external_secrets_identity" {
  source  = "terraform-aws-modules/eks-pod-identity/aws"
  version = "2.6.0"

  name                 = "${var.name}-external-secrets"
  attach_custom_policy = true
  policy_statements = [
    {
      sid     = "Secrets"
      actions = ["secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"]
      resources = concat(
        [local.database_admin_secret_arn, aws_secretsmanager_secret.database.arn, aws_secretsmanager_secret.rabbitmq.arn],
        aws_secretsmanager_secret.erlang_cookie[*].arn,
      )
    },
    {
      sid       = "Key"
      actions   = ["kms:Decrypt"]
      resources = [aws_kms_key.data.arn]
    },
  ]
  associations = {
    controller = {
      cluster_name    = module.eks.cluster_name
      namespace       = "external-secrets"
      service_account = "external-secrets"
    }
  }
}

# The web server stores images, the consumer, which decodes what strangers upload, only reads them.
module "image_identity" {
  for_each = local.uses_s3 ? local.service_accounts : {}
  source   = "terraform-aws-modules/eks-pod-identity/aws"
  version  = "2.6.0"

  name                 = "${var.name}-${each.value}"
  attach_custom_policy = true
  policy_statements = [
    {
      sid       = "Bucket"
      actions   = ["s3:ListBucket"]
      resources = [aws_s3_bucket.images[0].arn]
    },
    {
      sid = "Images"
      actions = each.key == "web_server" ? [
        "s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload",
      ] : ["s3:GetObject"]
      resources = ["${aws_s3_bucket.images[0].arn}/*"]
    },
    {
      sid       = "Key"
      actions   = each.key == "web_server" ? ["kms:Decrypt", "kms:GenerateDataKey"] : ["kms:Decrypt"]
      resources = [aws_kms_key.data.arn]
    },
  ]
  associations = {
    pod = {
      cluster_name    = module.eks.cluster_name
      namespace       = local.namespace
      service_account = each.value
    }
  }
}
