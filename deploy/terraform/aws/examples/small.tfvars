# To try it out: one of each, and nothing that cannot be deleted.
region = "us-east-1"
zones  = ["us-east-1a", "us-east-1b", "us-east-1c"]

domain         = "gantry.example.com"
hosted_zone_id = "Z0123456789ABCDEFGHIJ"

# Your own address, as https://checkip.amazonaws.com says it.
cluster_endpoint_public_access_cidrs = ["198.51.100.7/32"]
ingress_cidrs                        = ["198.51.100.7/32"]

budget = { monthly_usd = 400, emails = ["you@example.com"] }

deletion_protection = false
container_logs      = false
log_retention_days  = 7

nodes         = { min = 2, max = 3 }
image_storage = "s3"
database      = { instance_class = "db.t4g.micro", storage_gib = 20, max_storage_gib = 100, multi_az = false, backup_days = 1 }
queue         = { kind = "in_cluster" }
