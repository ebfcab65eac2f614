"use client";

import Link from "next/link";
import { usePathname } from "next/navigation";

const PAGES = { "/": "Home", "/profile": "Profile", "/password": "Password", "/sessions": "Sessions" };

export function Nav() {
  const current = usePathname();
  return (
    <nav aria-label="Account">
      {Object.entries(PAGES).map(([path, title]) => (
        <Link key={path} href={path} aria-current={path === current ? "page" : undefined}>{title}</Link>
      ))}
    </nav>
  );
}
