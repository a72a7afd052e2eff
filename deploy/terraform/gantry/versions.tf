terraform {
  required_version = ">= 1.11"

  required_providers {
    helm = {
      source  = "hashicorp/helm"
      version = "~> 3.1"
    }
    kubernetes = {
      source  = "hashicorp/kubernetes"
      version = "~> 2.38"
    }
  }

  # Bucket, key and region come from a file of one's own: see README.md.
  backend "s3" {
    use_lockfile = true
    encrypt      = true
  }
}

# Which cluster: KUBE_CONFIG_PATH, and KUBE_CTX where its current context is another one.
provider "helm" {}

provider "kubernetes" {}
