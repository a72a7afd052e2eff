/** The actions that may run in a workflow, and what each is for. What a command of the runner does needs none. */
export const allowedActions: Readonly<Record<string, string>> = {
  'actions/cache': 'what `npm ci`, pip and Go made, between runs',
  'actions/checkout': 'the code',
  'actions/dependency-review-action': 'known holes in what a pull request adds',
  'actions/download-artifact': 'files from one job',
  'actions/setup-go': 'Go, which builds the programs that no distribution has',
  'actions/upload-artifact': 'to another',
  'anchore/scan-action': 'known holes in the image (Grype)',
  'aws-actions/configure-aws-credentials': 'a role of AWS for a token of the run',
  'docker/build-push-action': 'the image, with provenance and SBOM',
  'docker/login-action': 'logs in to the registry, and out again',
  'docker/metadata-action': 'names of the image, in small letters',
  'docker/setup-buildx-action': 'a builder that can attest and cache',
  'github/codeql-action': 'reads the code, and takes what a scan found',
  'hashicorp/setup-terraform': 'Terraform',
  'sigstore/cosign-installer': 'cosign, which signs and verifies',
};
