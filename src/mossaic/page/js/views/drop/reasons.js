/** The server's detailed codes for what a link does not allow, as names of our words. @type {Record<string, string>} */
export const REASONS = {
  "0099-00000001": "ended",
  "0099-00000003": "size",
  "0099-00000004": "total",
  "0099-00000005": "count",
  "0099-00000006": "uploads",
};
