# Three zones, each of which may be lost.
region = "us-east-1"
zones  = ["us-east-1a", "us-east-1b", "us-east-1c"]
tags   = { Team = "imaging", CostCenter = "4711" }

domain         = "gantry.example.com"
hosted_zone_id = "Z0123456789ABCDEFGHIJ"

cluster_endpoint_public_access_cidrs = ["198.51.100.0/24"]
cluster_admin_arns                   = ["arn:aws:iam::123456789012:role/platform"]
ingress_cidrs                        = ["198.51.100.0/24"]

budget = { monthly_usd = 1800, emails = ["platform@example.com"] }

nat_gateways  = "per_zone"
nodes         = { min = 3, max = 12 }
image_storage = "efs"
database      = { instance_class = "db.m7g.large", storage_gib = 100, max_storage_gib = 1000, backup_days = 35 }
queue         = { kind = "amazon_mq", instance_type = "mq.m7g.large" }
