locals {
  # What asks AWS for something is given a role of its own below (access.tf).
  addons = merge(
    {
      # Enforces the charts' NetworkPolicies.
      vpc-cni = {
        before_compute       = true
        configuration_values = jsonencode({ enableNetworkPolicy = "true" })
      }
      eks-pod-identity-agent = { before_compute = true }
      kube-proxy             = {}
      coredns                = {}
      metrics-server         = {}
      aws-ebs-csi-driver = {
        pod_identity_association = [{ role_arn = module.ebs_csi_identity.iam_role_arn, service_account = "ebs-csi-controller-sa" }]
      }
    },
    local.uses_efs ? {
      aws-efs-csi-driver = {
        pod_identity_association = [{ role_arn = module.efs_csi_identity[0].iam_role_arn, service_account = "efs-csi-controller-sa" }]
      }
    } : {},
    var.hosted_zone_id != null ? {
      external-dns = {
        configuration_values     = jsonencode({ policy = "sync", txtOwnerId = var.name, domainFilters = [var.domain] })
        pod_identity_association = [{ role_arn = module.external_dns_identity[0].iam_role_arn, service_account = "external-dns" }]
      }
    } : {},
    var.container_logs ? {
      amazon-cloudwatch-observability = {
        configuration_values     = jsonencode({ containerLogs = { enabled = true } })
        pod_identity_association = [{ role_arn = module.cloudwatch_identity[0].iam_role_arn, service_account = "cloudwatch-agent" }]
      }
    } : {},
  )

  disks = {
    general = var.nodes.disk_gib
    gpu     = var.gpu_nodes.disk_gib
  }
  block_devices = {
    for group, size in local.disks : group => {
      root = {
        device_name = "/dev/xvda"
        ebs         = { volume_size = size, volume_type = "gp3", encrypted = true, delete_on_termination = true }
      }
    }
  }

  node_groups = merge(
    {
      general = {
        instance_types        = var.nodes.instance_types
        ami_type              = var.nodes.ami_type
        min_size              = var.nodes.min
        max_size              = var.nodes.max
        desired_size          = var.nodes.min
        block_device_mappings = local.block_devices.general
        node_repair_config    = { enabled = true }
        update_config         = { max_unavailable_percentage = 34 }
        labels                = {}
        taints                = {}
      }
    },
    var.gpu_nodes.enabled ? {
      gpu = {
        instance_types        = var.gpu_nodes.instance_types
        ami_type              = "AL2023_x86_64_NVIDIA"
        min_size              = var.gpu_nodes.min
        max_size              = var.gpu_nodes.max
        desired_size          = var.gpu_nodes.min
        block_device_mappings = local.block_devices.gpu
        node_repair_config    = { enabled = true }
        update_config         = { max_unavailable_percentage = 34 }
        labels                = { "gantry/accelerator" = "nvidia" }
        # Only what asks for a GPU runs on nodes that cost as much.
        taints = { gpu = { key = "nvidia.com/gpu", value = "present", effect = "NO_SCHEDULE" } }
      }
    } : {},
  )
}

module "eks" {
  source  = "terraform-aws-modules/eks/aws"
  version = "21.15.1"

  name                = var.name
  kubernetes_version  = var.kubernetes_version
  deletion_protection = var.deletion_protection
  upgrade_policy      = { support_type = "STANDARD" }

  vpc_id     = module.vpc.vpc_id
  subnet_ids = module.vpc.private_subnets

  endpoint_private_access      = true
  endpoint_public_access       = length(var.cluster_endpoint_public_access_cidrs) > 0
  endpoint_public_access_cidrs = var.cluster_endpoint_public_access_cidrs

  authentication_mode                      = "API"
  enable_cluster_creator_admin_permissions = true
  access_entries = {
    for arn in var.cluster_admin_arns : arn => {
      principal_arn = arn
      policy_associations = {
        admin = {
          policy_arn   = "arn:${local.partition}:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"
          access_scope = { type = "cluster" }
        }
      }
    }
  }
  # Pods get their roles by Pod Identity, which needs no OpenID Connect provider.
  enable_irsa = false

  # Kubernetes' own Secrets are encrypted with a key that the module makes.
  enable_kms_key_rotation = true

  enabled_log_types                      = ["api", "audit", "authenticator"]
  cloudwatch_log_group_retention_in_days = var.log_retention_days
  cloudwatch_log_group_kms_key_id        = aws_kms_key.data.arn

  addons = local.addons

  eks_managed_node_groups = local.node_groups
}
