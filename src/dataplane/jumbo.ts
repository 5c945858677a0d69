/** Which packets native XDP can pass on to another port, by the version of the kernel. Asks nobody and changes nothing. */

/** Before it a frame that does not lie in one page is dropped where it should be redirected, uncounted (net/core/filter.c). */
const REDIRECTS_JUMBO = [6, 3] as const;
/** The longest packet with two tags that lies in one page of 4096 bytes behind XDP's headroom of 256 and before the kernel's own 320. */
const LONGEST_IN_A_PAGE = 3_498;

/** What is wrong with packets of `mtu` bytes on a kernel as `uname -r` tells it, and what to do; null when they pass. */
export function jumboProblem(mtu: number, release: string): string | null {
  const [major = 0, minor = 0] = release.split('.').map(Number);
  const [firstMajor, firstMinor] = REDIRECTS_JUMBO;
  const passes = major > firstMajor || (major === firstMajor && minor >= firstMinor);
  if (passes || mtu <= LONGEST_IN_A_PAGE) return null;
  return `kernel ${release} loses packets over ${LONGEST_IN_A_PAGE} bytes in native XDP (access.mtu ${mtu}): use ${REDIRECTS_JUMBO.join('.')} or newer, or set access.mtu: ${LONGEST_IN_A_PAGE}`;
}
