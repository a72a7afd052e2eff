locals {
  zones = var.zones != null ? var.zones : slice(data.aws_availability_zones.available.names, 0, 3)

  # Of a /16: three private /20 for nodes and pods, then three public and three database /24.
  private_subnets  = [for index in range(3) : cidrsubnet(var.vpc_cidr, 4, index)]
  public_subnets   = [for index in range(3) : cidrsubnet(var.vpc_cidr, 8, 48 + index)]
  database_subnets = [for index in range(3) : cidrsubnet(var.vpc_cidr, 8, 52 + index)]
}

module "vpc" {
  source  = "terraform-aws-modules/vpc/aws"
  version = "6.5.1"

  name = var.name
  cidr = var.vpc_cidr
  azs  = local.zones

  private_subnets  = local.private_subnets
  public_subnets   = local.public_subnets
  database_subnets = local.database_subnets

  create_database_subnet_group = true

  enable_nat_gateway     = true
  single_nat_gateway     = var.nat_gateways == "one"
  one_nat_gateway_per_az = var.nat_gateways == "per_zone"

  # Where the load balancer controller looks for subnets.
  public_subnet_tags  = { "kubernetes.io/role/elb" = "1" }
  private_subnet_tags = { "kubernetes.io/role/internal-elb" = "1" }

  enable_flow_log                                 = true
  create_flow_log_cloudwatch_log_group            = true
  create_flow_log_cloudwatch_iam_role             = true
  flow_log_traffic_type                           = "REJECT"
  flow_log_cloudwatch_log_group_retention_in_days = var.log_retention_days
  flow_log_cloudwatch_log_group_kms_key_id        = aws_kms_key.data.arn
}

# Free, and keeps images and layers of containers off the NAT gateway's bill.
resource "aws_vpc_endpoint" "s3" {
  vpc_id            = module.vpc.vpc_id
  service_name      = "com.amazonaws.${var.region}.s3"
  vpc_endpoint_type = "Gateway"
  route_table_ids   = module.vpc.private_route_table_ids
  tags              = { Name = "${var.name}-s3" }
}
