locals {
  uses_efs = var.image_storage == "efs"
  uses_s3  = var.image_storage == "s3"
}

# EFS: one file system in all zones, and an access point where everything belongs to user 1000, which the pods are.

resource "aws_efs_file_system" "images" {
  count           = local.uses_efs ? 1 : 0
  creation_token  = "${var.name}-images"
  encrypted       = true
  kms_key_id      = aws_kms_key.data.arn
  throughput_mode = "elastic"

  lifecycle_policy {
    transition_to_ia = "AFTER_30_DAYS"
  }
  lifecycle_policy {
    transition_to_primary_storage_class = "AFTER_1_ACCESS"
  }

  tags = { Name = "${var.name}-images" }
}

resource "aws_efs_backup_policy" "images" {
  count          = local.uses_efs ? 1 : 0
  file_system_id = aws_efs_file_system.images[0].id

  backup_policy {
    status = "ENABLED"
  }
}

resource "aws_efs_access_point" "images" {
  count          = local.uses_efs ? 1 : 0
  file_system_id = aws_efs_file_system.images[0].id

  posix_user {
    uid = 1000
    gid = 1000
  }
  root_directory {
    path = "/images"
    creation_info {
      owner_uid   = 1000
      owner_gid   = 1000
      permissions = "0750"
    }
  }

  tags = { Name = "${var.name}-images" }
}

data "aws_iam_policy_document" "efs" {
  count = local.uses_efs ? 1 : 0

  statement {
    sid       = "OnlyThroughTheAccessPoint"
    actions   = ["elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite"]
    resources = [aws_efs_file_system.images[0].arn]
    principals {
      type        = "AWS"
      identifiers = ["*"]
    }
    condition {
      test     = "StringEquals"
      variable = "elasticfilesystem:AccessPointArn"
      values   = [aws_efs_access_point.images[0].arn]
    }
    condition {
      test     = "Bool"
      variable = "elasticfilesystem:AccessedViaMountTarget"
      values   = ["true"]
    }
  }

  statement {
    sid       = "OnlyByTls"
    effect    = "Deny"
    actions   = ["*"]
    resources = [aws_efs_file_system.images[0].arn]
    principals {
      type        = "AWS"
      identifiers = ["*"]
    }
    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }
}

resource "aws_efs_file_system_policy" "images" {
  count          = local.uses_efs ? 1 : 0
  file_system_id = aws_efs_file_system.images[0].id
  policy         = data.aws_iam_policy_document.efs[0].json
}

resource "aws_security_group" "efs" {
  count       = local.uses_efs ? 1 : 0
  name        = "${var.name}-efs"
  description = "NFS from the nodes"
  vpc_id      = module.vpc.vpc_id
  tags        = { Name = "${var.name}-efs" }
}

resource "aws_vpc_security_group_ingress_rule" "efs" {
  count                        = local.uses_efs ? 1 : 0
  description                  = "NFS from the nodes"
  security_group_id            = aws_security_group.efs[0].id
  referenced_security_group_id = module.eks.node_security_group_id
  ip_protocol                  = "tcp"
  from_port                    = 2049
  to_port                      = 2049
}

resource "aws_efs_mount_target" "images" {
  count           = local.uses_efs ? 3 : 0
  file_system_id  = aws_efs_file_system.images[0].id
  subnet_id       = module.vpc.private_subnets[count.index]
  security_groups = [aws_security_group.efs[0].id]
}

# S3: a bucket whose deleted objects can be brought back for 30 days.

resource "aws_s3_bucket" "images" {
  count         = local.uses_s3 ? 1 : 0
  bucket        = "${var.name}-images-${local.account}-${var.region}"
  force_destroy = !var.deletion_protection
}

resource "aws_s3_bucket_versioning" "images" {
  count  = local.uses_s3 ? 1 : 0
  bucket = aws_s3_bucket.images[0].id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "images" {
  count  = local.uses_s3 ? 1 : 0
  bucket = aws_s3_bucket.images[0].id

  rule {
    # One request to KMS a bucket and hour instead of one an image.
    bucket_key_enabled = true
    apply_server_side_encryption_by_default {
      sse_algorithm     = "aws:kms"
      kms_master_key_id = aws_kms_key.data.arn
    }
  }
}

resource "aws_s3_bucket_public_access_block" "images" {
  count                   = local.uses_s3 ? 1 : 0
  bucket                  = aws_s3_bucket.images[0].id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_lifecycle_configuration" "images" {
  count      = local.uses_s3 ? 1 : 0
  bucket     = aws_s3_bucket.images[0].id
  depends_on = [aws_s3_bucket_versioning.images]

  rule {
    id     = "deleted-images"
    status = "Enabled"
    filter {}
    noncurrent_version_expiration {
      noncurrent_days = 30
    }
    abort_incomplete_multipart_upload {
      days_after_initiation = 2
    }
  }
}

data "aws_iam_policy_document" "bucket" {
  count = local.uses_s3 ? 1 : 0

  statement {
    sid       = "OnlyByTls"
    effect    = "Deny"
    actions   = ["s3:*"]
    resources = [aws_s3_bucket.images[0].arn, "${aws_s3_bucket.images[0].arn}/*"]
    principals {
      type        = "AWS"
      identifiers = ["*"]
    }
    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }
}

resource "aws_s3_bucket_policy" "images" {
  count  = local.uses_s3 ? 1 : 0
  bucket = aws_s3_bucket.images[0].id
  policy = data.aws_iam_policy_document.bucket[0].json
}
