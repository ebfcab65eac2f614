import type { NextConfig } from "next";

const config: NextConfig = {
  poweredByHeader: false,
  // Pages of other sites must not show this app in a frame and make users click on it.
  headers: async () => [{ source: "/:path*", headers: [{ key: "content-security-policy", value: "frame-ancestors 'none'" }] }],
};

export default config;
