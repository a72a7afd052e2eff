terraform {
  # Write-only arguments and S3's own locking of the state.
  required_version = ">= 1.11"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 6.28, < 7.0"
    }
    http = {
      source  = "hashicorp/http"
      version = "~> 3.5"
    }
    random = {
      source  = "hashicorp/random"
      version = "~> 3.7"
    }
  }

  # Bucket, key and region come from a file of one's own: see README.md.
  backend "s3" {
    use_lockfile = true
    encrypt      = true
  }
}

provider "aws" {
  region = var.region

  default_tags {
    tags = local.tags
  }
}

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_availability_zones" "available" {
  # Local zones have neither EKS nor RDS.
  filter {
    name   = "opt-in-status"
    values = ["opt-in-not-required"]
  }
}

locals {
  tags = merge({ Project = "gantry", Environment = var.name, ManagedBy = "terraform" }, var.tags)

  account   = data.aws_caller_identity.current.account_id
  partition = data.aws_partition.current.partition

  # The namespace and the accounts that the charts make; Pod Identity and policies name them.
  namespace        = "gantry"
  service_accounts = { web_server = "web-server", consumer = "consumer" }
}
