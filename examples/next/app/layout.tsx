import type { Metadata } from "next";
import type { ReactNode } from "react";
import "./style.css";

export const metadata: Metadata = { title: { default: "Example", template: "%s · Example" } };

export default function Layout({ children }: { children: ReactNode }) {
  return (
    <html lang="en">
      {/* Icons in the metadata are missing while a page loads. Browsers then request /favicon.ico. */}
      <head><link rel="icon" href="/icon.svg" type="image/svg+xml" /></head>
      <body>{children}</body>
    </html>
  );
}
