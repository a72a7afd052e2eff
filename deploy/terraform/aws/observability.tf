# Logs that AWS' own parts would otherwise keep for ever. Those of cluster and VPC are in their modules.

resource "aws_cloudwatch_log_group" "containers" {
  for_each          = var.container_logs ? toset(["application", "dataplane", "host", "performance"]) : []
  name              = "/aws/containerinsights/${var.name}/${each.key}"
  retention_in_days = var.log_retention_days
  kms_key_id        = aws_kms_key.data.arn
}
