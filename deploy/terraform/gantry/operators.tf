# Operators that Gantry builds on. Versions are exact: what they define in the cluster outlives an upgrade.

resource "helm_release" "keda" {
  count            = var.operators.keda ? 1 : 0
  name             = "keda"
  namespace        = "keda"
  create_namespace = true
  repository       = "https://kedacore.github.io/charts"
  chart            = "keda"
  version          = "2.21.1"
  timeout          = var.timeout_seconds
}

resource "helm_release" "external_secrets" {
  count            = var.operators.external_secrets ? 1 : 0
  name             = "external-secrets"
  namespace        = "external-secrets"
  create_namespace = true
  repository       = "https://charts.external-secrets.io"
  chart            = "external-secrets"
  version          = "2.9.0"
  timeout          = var.timeout_seconds
  values           = [yamlencode({ serviceAccount = { name = "external-secrets" } })]
}

resource "helm_release" "load_balancer_controller" {
  count      = var.operators.load_balancer_controller ? 1 : 0
  name       = "aws-load-balancer-controller"
  namespace  = "kube-system"
  repository = "https://aws.github.io/eks-charts"
  chart      = "aws-load-balancer-controller"
  version    = "1.17.1"
  timeout    = var.timeout_seconds
  # Pods do not reach the nodes' metadata, so it is told what it would look up there.
  values = [yamlencode({
    clusterName    = var.cluster.name
    region         = var.cluster.region
    vpcId          = var.cluster.vpc_id
    serviceAccount = { name = "aws-load-balancer-controller" }
    # It would be asked about every Service of the cluster, and nobody could make one until it answers: not KEDA and
    # external-secrets either, which are installed at the same time. It is there for Services of type LoadBalancer.
    enableServiceMutatorWebhook = false
    # Without it a pod starts with no gate, rather than not at all.
    podMutatorWebhookConfig = { failurePolicy = "Ignore" }
  })]
}

resource "helm_release" "cluster_autoscaler" {
  count      = var.operators.cluster_autoscaler ? 1 : 0
  name       = "cluster-autoscaler"
  namespace  = "kube-system"
  repository = "https://kubernetes.github.io/autoscaler"
  chart      = "cluster-autoscaler"
  version    = "9.59.0"
  timeout    = var.timeout_seconds
  values = [yamlencode({
    awsRegion     = var.cluster.region
    autoDiscovery = { clusterName = var.cluster.name }
    rbac          = { serviceAccount = { name = "cluster-autoscaler" } }
    extraArgs = {
      balance-similar-node-groups = true
      # Otherwise no node with an emptyDir ever goes, and every pod of Gantry has one.
      skip-nodes-with-local-storage = false
      skip-nodes-with-system-pods   = false
    }
  })]
}

resource "helm_release" "nvidia_device_plugin" {
  count      = var.operators.nvidia_device_plugin ? 1 : 0
  name       = "nvidia-device-plugin"
  namespace  = "kube-system"
  repository = "https://nvidia.github.io/k8s-device-plugin"
  chart      = "nvidia-device-plugin"
  version    = "0.18.0"
  timeout    = var.timeout_seconds
  values = [yamlencode({
    nodeSelector = { "gantry/accelerator" = "nvidia" }
    affinity     = null
  })]
}
