# What the other root does not know; copy to terraform.tfvars.
image = { repository = "123456789012.dkr.ecr.us-east-1.amazonaws.com/gantry", tag = "0.1.0" }

web_servers = 2
consumers   = { min = 1, max = 20 }

# Any value of charts/gantry, in YAML.
values = [
  <<-EOT
  web-server:
    config: { keepOriginals: 365d }
  EOT
]
