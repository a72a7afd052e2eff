variable "namespace" {
  description = "Namespace that Gantry is installed in; it is made, and labelled for the Pod Security standard *restricted*"
  type        = string
  default     = "gantry"
}

variable "image" {
  description = "Image of Gantry, where the nodes can pull it"
  type = object({
    repository  = string
    tag         = optional(string, "0.1.0")
    pull_policy = optional(string, "IfNotPresent")
  })
}

variable "operators" {
  description = "What is installed beside Gantry; false where the cluster has it, or needs none"
  type = object({
    keda                     = optional(bool, false)
    external_secrets         = optional(bool, false)
    load_balancer_controller = optional(bool, false)
    cluster_autoscaler       = optional(bool, false)
    nvidia_device_plugin     = optional(bool, false)
  })
  default = {}
}

variable "cluster" {
  description = "EKS cluster, for the operators that must know it"
  type = object({
    name   = string
    region = string
    vpc_id = string
  })
  default = null

  validation {
    condition     = var.cluster != null || !(var.operators.load_balancer_controller || var.operators.cluster_autoscaler)
    error_message = "cluster is needed by the load balancer controller and the cluster autoscaler."
  }
}

variable "secrets" {
  description = "ARNs in Secrets Manager, of which external-secrets makes the charts' Secrets; null: the Secrets below are there already"
  type = object({
    database_admin = string
    database       = string
    rabbitmq       = string
    erlang_cookie  = optional(string)
  })
  default = null

  validation {
    condition     = var.secrets == null || var.cluster != null
    error_message = "secrets needs cluster, for the region of Secrets Manager."
  }
}

variable "existing_secrets" {
  description = "Names of Secrets: `database` (username, password), `rabbitmq` (username, password, erlang-cookie); null: one is made"
  type = object({
    database = optional(string)
    rabbitmq = optional(string)
  })
  default = {}

  validation {
    condition     = var.secrets == null || (var.existing_secrets.database == null && var.existing_secrets.rabbitmq == null)
    error_message = "existing_secrets and secrets contradict each other: name them here, or let external-secrets make them."
  }
}

variable "database" {
  description = "PostgreSQL; `ca` is in PEM. null: a small one of one node comes along, for trials"
  type = object({
    host = string
    port = optional(number, 5432)
    name = optional(string, "gantry")
    ca   = optional(string)
  })
  default = null

  validation {
    condition     = var.database == null || var.secrets != null || var.existing_secrets.database != null
    error_message = "database needs secrets or existing_secrets.database: the user to log in as."
  }
  validation {
    condition     = var.database != null || var.secrets == null
    error_message = "secrets needs database: the server on which Gantry's user is made."
  }
}

variable "password_versions" {
  description = "Versions of the passwords in Secrets Manager; with a new one the Secrets get other names, and so the pods are renewed"
  type = object({
    database = optional(number, 1)
    rabbitmq = optional(number, 1)
  })
  default = {}
}

variable "queue" {
  description = "RabbitMQ elsewhere, with its management API for KEDA; null: charts/rabbitmq-chart"
  type = object({
    url            = string
    management_url = optional(string)
    vhost          = optional(string, "/")
  })
  default = null

  validation {
    condition     = var.queue == null || var.secrets != null || var.existing_secrets.rabbitmq != null
    error_message = "queue needs secrets or existing_secrets.rabbitmq: the user to log in as."
  }
  validation {
    condition     = var.queue != null || try(var.secrets.erlang_cookie, null) != null || var.secrets == null
    error_message = "secrets.erlang_cookie is needed by RabbitMQ in the cluster."
  }
  validation {
    condition     = try(var.queue.management_url, null) != null || var.queue == null || !var.operators.keda
    error_message = "queue.management_url is needed by KEDA."
  }
}

variable "rabbitmq_nodes" {
  description = "Nodes of RabbitMQ in the cluster: 1, 3 or 5"
  type        = number
  default     = 3

  validation {
    condition     = contains([1, 3, 5], var.rabbitmq_nodes)
    error_message = "rabbitmq_nodes must be 1, 3 or 5."
  }
}

variable "images" {
  description = "Where images lie: `volume_handle` of an EFS access point, or `s3_url`; neither: a claim of the default storage class"
  type = object({
    volume_handle = optional(string)
    s3_url        = optional(string)
  })
  default = {}

  validation {
    condition     = var.images.volume_handle == null || var.images.s3_url == null
    error_message = "images.volume_handle and images.s3_url contradict each other."
  }
  validation {
    condition     = var.images.s3_url == null || var.cluster != null
    error_message = "images.s3_url needs cluster, for the region."
  }
}

variable "kms_key_arn" {
  description = "Key that the volumes of RabbitMQ are encrypted with, in a storage class that is made; null: the default class"
  type        = string
  default     = null
}

variable "ingress" {
  description = "Load balancer with TLS; null: none, the service is reached from within the cluster"
  type = object({
    host            = string
    certificate_arn = string
    cidrs           = list(string)
  })
  default = null
}

variable "web_servers" {
  description = "Number of web servers"
  type        = number
  default     = 2
}

variable "consumers" {
  description = "Bounds of the number of consumers, and images waiting or at work for each; without KEDA there are `min`"
  type = object({
    min          = optional(number, 1)
    max          = optional(number, 20)
    queue_length = optional(number, 200)
  })
  default = {}

  validation {
    condition     = var.consumers.min <= var.consumers.max
    error_message = "consumers.min must not be above consumers.max."
  }
}

variable "values" {
  description = "More values of charts/gantry in YAML, stronger than those made here"
  type        = list(string)
  default     = []
}

variable "timeout_seconds" {
  description = "How long a release may take to become ready"
  type        = number
  default     = 900
}
