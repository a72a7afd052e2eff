# Storage, database, queue

variable "image_storage" {
  description = "Where images lie: `efs`, a network volume, or `s3`"
  type        = string
  default     = "efs"

  validation {
    condition     = contains(["efs", "s3"], var.image_storage)
    error_message = "image_storage must be efs or s3."
  }
}

variable "database" {
  description = "PostgreSQL on RDS"
  type = object({
    engine_version  = optional(string, "17")
    instance_class  = optional(string, "db.t4g.medium")
    storage_gib     = optional(number, 50)
    max_storage_gib = optional(number, 500)
    multi_az        = optional(bool, true)
    backup_days     = optional(number, 14)
  })
  default = {}

  validation {
    condition     = var.database.backup_days >= 1 && var.database.backup_days <= 35
    error_message = "database.backup_days must be 1 to 35: without backups there is no restore to a point in time."
  }
  validation {
    condition     = var.database.max_storage_gib > var.database.storage_gib
    error_message = "database.max_storage_gib must be above database.storage_gib."
  }
}

variable "password_versions" {
  description = "A higher number gives Gantry's user of the database or of RabbitMQ a new password; Amazon MQ's broker is then made anew"
  type = object({
    database = optional(number, 1)
    rabbitmq = optional(number, 1)
  })
  default = {}
}

variable "queue" {
  description = "RabbitMQ: `amazon_mq`, or `in_cluster`, three nodes by charts/rabbitmq-chart"
  type = object({
    kind           = optional(string, "amazon_mq")
    engine_version = optional(string, "4.2")
    instance_type  = optional(string, "mq.m7g.large")
    cluster        = optional(bool, true)
  })
  default = {}

  validation {
    condition     = contains(["amazon_mq", "in_cluster"], var.queue.kind)
    error_message = "queue.kind must be amazon_mq or in_cluster."
  }
  validation {
    condition     = !startswith(var.queue.engine_version, "4.") || startswith(var.queue.instance_type, "mq.m7g.")
    error_message = "queue.instance_type must be an mq.m7g for RabbitMQ 4."
  }
  validation {
    condition     = !var.queue.cluster || !endswith(var.queue.instance_type, ".medium")
    error_message = "queue.instance_type must be large or more for a cluster."
  }
}

# Ingress

variable "domain" {
  description = "Host name of the page and the API, such as gantry.example.com"
  type        = string

  validation {
    condition     = can(regex("^([a-z0-9-]+\\.)+[a-z]{2,}$", var.domain))
    error_message = "domain must be a host name such as gantry.example.com."
  }
}

variable "hosted_zone_id" {
  description = "Route 53 zone of the domain, where certificate and address are kept up to date; null: certificate_arn is needed, and the address is yours to set"
  type        = string
  default     = null

  validation {
    condition     = var.hosted_zone_id == null || can(regex("^Z[A-Z0-9]+$", var.hosted_zone_id))
    error_message = "hosted_zone_id must be the ID of a zone, such as Z0123456789ABCDEFGHIJ, not its name."
  }
}

variable "certificate_arn" {
  description = "Certificate in ACM to use instead of a new one"
  type        = string
  default     = null

  validation {
    condition     = var.certificate_arn != null || var.hosted_zone_id != null
    error_message = "certificate_arn or hosted_zone_id is needed: without either there is no TLS."
  }
  validation {
    condition     = var.certificate_arn == null || can(regex("^arn:[a-z-]+:acm:${var.region}:", var.certificate_arn))
    error_message = "certificate_arn must be of ACM in region: a load balancer takes no other."
  }
}

variable "ingress_cidrs" {
  description = "Who may reach page and API, such as [\"198.51.100.0/24\"]; [\"0.0.0.0/0\"] is everybody: turn API keys on first"
  type        = list(string)

  validation {
    condition     = length(var.ingress_cidrs) > 0 && alltrue([for cidr in var.ingress_cidrs : can(cidrhost(cidr, 0))])
    error_message = "ingress_cidrs must be one or more IPv4 ranges such as 198.51.100.0/24."
  }
}

# Observability and cost

variable "log_retention_days" {
  description = "How long CloudWatch keeps logs"
  type        = number
  default     = 365

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "log_retention_days must be a number of days that CloudWatch knows: 7, 14, 30, 60, 90, 180, 365, ..."
  }
}

variable "container_logs" {
  description = "Whether the logs of all containers go to CloudWatch"
  type        = bool
  default     = true
}

variable "budget" {
  description = "Monthly budget in US dollars, and who is told at 80 % spent, and when 100 % is forecast"
  type = object({
    monthly_usd = number
    emails      = list(string)
  })

  validation {
    condition     = var.budget.monthly_usd > 0 && length(var.budget.emails) > 0
    error_message = "budget needs an amount above 0 and at least one e-mail address."
  }
}
