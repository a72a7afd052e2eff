output "url" {
  description = "Where page and API are"
  value       = var.ingress != null ? "https://${var.ingress.host}" : "http://web-server.${var.namespace}:5000"
}

output "namespace" {
  description = "Namespace of the releases"
  value       = kubernetes_namespace_v1.gantry.metadata[0].name
}
