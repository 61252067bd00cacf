/**
 * The one content security policy of page and workers. No blob workers, no inline script or style, nothing from
 * elsewhere; `wasm-unsafe-eval` is for zstd.
 */
const DIRECTIVES = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "worker-src 'self'",
  "connect-src 'self'",
  "img-src 'self' blob: data:",
  "style-src 'self'",
  "font-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "object-src 'none'",
  "form-action 'none'",
];

/** For `<meta http-equiv>`, where `frame-ancestors` is not allowed. */
export const META_POLICY = DIRECTIVES.join("; ");

export const POLICY_HEADER = "Content-Security-Policy";

/** What a server should send with every file of the build. */
export const HEADERS = {
  [POLICY_HEADER]: [...DIRECTIVES, "frame-ancestors 'none'"].join("; "),
  "X-Content-Type-Options": "nosniff",
  "Referrer-Policy": "no-referrer",
};
