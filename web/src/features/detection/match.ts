import type { Finding } from '@/api/types';

/** Findings that name the text: in their title, device, remote parties or techniques. */
export function matching(findings: Finding[], text: string): Finding[] {
  const wanted = text.trim().toLowerCase();
  if (wanted === '') return findings;
  return findings.filter((finding) =>
    [
      finding.title, finding.device_name, finding.device_address, finding.device_mac ?? '', finding.model,
      ...finding.evidence.map((one) => one.peer),
      ...finding.techniques.flatMap((one) => [one.id, one.name]),
    ].some((field) => field.toLowerCase().includes(wanted)),
  );
}
