import { pythonProgram, runProgram } from '../charts/programs.ts';
import type { Finding } from '../charts/scan.ts';

type Report = {
  results: { failed_checks: { check_id: string; check_name: string; resource: string }[] };
  summary: { parsing_errors: number; resource_count: number };
};

/** Scans a folder of Terraform's files for bad practice; `object` is a resource, module or data source. */
export const scanTerraform = async (folder: string): Promise<Finding[]> => {
  const { code, output, errors } = await runProgram(pythonProgram('checkov'), [
    ...['--directory', folder, '--framework', 'terraform', '--output', 'json'],
    ...['--skip-download', '--soft-fail', '--compact', '--quiet'],
  ]);
  const report: Report | undefined = code === 0 ? JSON.parse(output) : undefined;
  if (!report?.summary.resource_count || report.summary.parsing_errors > 0) {
    throw Object.assign(new Error(`checkov failed: ${errors || output}`), { code: 'CHECK_FAILED' });
  }
  return report.results.failed_checks.map(({ check_id, check_name, resource }) => ({
    rendering: '',
    object: resource.replace(/\[\d+\]$/, ''),
    check: check_id,
    advice: check_name,
  }));
};
