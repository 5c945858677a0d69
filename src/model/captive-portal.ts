/** Where on the portal the captive portal API lives (RFC 8908): option 114 names it, the portal serves it. */

export const CAPTIVE_API_PATH = '/captive-portal/api';
