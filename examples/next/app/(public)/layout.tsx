import type { ReactNode } from "react";

export default function Layout({ children }: { children: ReactNode }) {
  return <main className="narrow card">{children}</main>;
}
