# The load balancer itself is made by its controller from the chart's Ingress; here is what it shows: a certificate.

resource "aws_acm_certificate" "page" {
  count             = var.certificate_arn == null ? 1 : 0
  domain_name       = var.domain
  validation_method = "DNS"

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_route53_record" "validation" {
  count           = var.certificate_arn == null ? 1 : 0
  zone_id         = var.hosted_zone_id
  name            = one(aws_acm_certificate.page[0].domain_validation_options).resource_record_name
  type            = one(aws_acm_certificate.page[0].domain_validation_options).resource_record_type
  records         = [one(aws_acm_certificate.page[0].domain_validation_options).resource_record_value]
  ttl             = 300
  allow_overwrite = true
}

resource "aws_acm_certificate_validation" "page" {
  count                   = var.certificate_arn == null ? 1 : 0
  certificate_arn         = aws_acm_certificate.page[0].arn
  validation_record_fqdns = aws_route53_record.validation[*].fqdn
}

locals {
  certificate_arn = var.certificate_arn != null ? var.certificate_arn : aws_acm_certificate_validation.page[0].certificate_arn
}
