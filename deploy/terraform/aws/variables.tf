variable "name" {
  description = "Name of the installation; every resource carries it"
  type        = string
  default     = "gantry"

  # A role's name begins with it: 38 characters, of which -cluster-autoscaler- takes 20. RDS takes no two dashes in a row.
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,16}[a-z0-9]$", var.name)) && !strcontains(var.name, "--")
    error_message = "name must have 3 to 18 lower-case letters, digits and single dashes, and begin with a letter."
  }
}

variable "region" {
  description = "AWS region, such as eu-central-1"
  type        = string
}

variable "tags" {
  description = "More tags for every resource"
  type        = map(string)
  default     = {}
}

variable "deletion_protection" {
  description = "Whether cluster, database and bucket refuse to be deleted, and a database leaves a last snapshot"
  type        = bool
  default     = true
}

# Network

variable "vpc_cidr" {
  description = "Addresses of the VPC, a /16 to /19"
  type        = string
  default     = "10.0.0.0/16"

  # Of a /19 the public subnets are /27, the smallest that a load balancer takes.
  validation {
    condition     = can(cidrhost(var.vpc_cidr, 0)) && try(tonumber(split("/", var.vpc_cidr)[1]), 0) >= 16 && try(tonumber(split("/", var.vpc_cidr)[1]), 99) <= 19
    error_message = "vpc_cidr must be an IPv4 range of size /16 to /19."
  }
}

variable "zones" {
  description = "Three availability zones, such as [\"eu-central-1a\", \"eu-central-1b\", \"eu-central-1c\"]; null: the region's first three, which may become others"
  type        = list(string)
  default     = null

  validation {
    condition     = var.zones == null || length(distinct(coalesce(var.zones, []))) == 3
    error_message = "zones must be three different availability zones."
  }
  validation {
    condition     = alltrue([for zone in coalesce(var.zones, []) : startswith(zone, var.region)])
    error_message = "zones must be zones of region."
  }
}

variable "nat_gateways" {
  description = "`one` for the whole VPC, or `per_zone`: the loss of a zone then cuts off no other"
  type        = string
  default     = "one"

  validation {
    condition     = contains(["one", "per_zone"], var.nat_gateways)
    error_message = "nat_gateways must be one or per_zone."
  }
}

variable "cluster_endpoint_public_access_cidrs" {
  description = "Who may reach the Kubernetes API from outside, such as [\"198.51.100.7/32\"]; []: only from within the VPC"
  type        = list(string)

  validation {
    condition     = alltrue([for cidr in var.cluster_endpoint_public_access_cidrs : can(cidrhost(cidr, 0))])
    error_message = "cluster_endpoint_public_access_cidrs must be IPv4 ranges such as 198.51.100.7/32."
  }
  validation {
    condition     = alltrue([for cidr in var.cluster_endpoint_public_access_cidrs : !endswith(cidr, "/0")])
    error_message = "cluster_endpoint_public_access_cidrs must not open the Kubernetes API to everybody."
  }
}

# Cluster

variable "kubernetes_version" {
  description = "Version of Kubernetes"
  type        = string
  default     = "1.35"

  validation {
    condition     = can(regex("^1\\.(29|3[0-5])$", var.kubernetes_version))
    error_message = "kubernetes_version must be one that the charts are tested with: 1.29 to 1.35."
  }
}

variable "cluster_admin_arns" {
  description = "IAM roles and users that administer the cluster, besides whoever applies this"
  type        = list(string)
  default     = []
}

variable "nodes" {
  description = "Nodes that everything runs on; the cluster autoscaler keeps their number between min and max"
  type = object({
    instance_types = optional(list(string), ["m7i.large"])
    ami_type       = optional(string, "AL2023_x86_64_STANDARD")
    min            = optional(number, 3)
    max            = optional(number, 8)
    disk_gib       = optional(number, 50)
  })
  default = {}

  validation {
    condition     = var.nodes.min >= 2 && var.nodes.min <= var.nodes.max
    error_message = "nodes.min must be 2 or more, and not above nodes.max."
  }
}

variable "gpu_nodes" {
  description = "Nodes with an NVIDIA GPU, for an image of one's own that uses it; none by default"
  type = object({
    enabled        = optional(bool, false)
    instance_types = optional(list(string), ["g5.xlarge"])
    min            = optional(number, 0)
    max            = optional(number, 2)
    disk_gib       = optional(number, 100)
  })
  default = {}

  validation {
    condition     = var.gpu_nodes.min <= var.gpu_nodes.max
    error_message = "gpu_nodes.min must not be above gpu_nodes.max."
  }
}
