import Link from "next/link";
import type { ReactNode } from "react";
import { signOut } from "@/server/actions";

export default function Layout({ children }: { children: ReactNode }) {
  return (
    <>
      <header>
        <nav aria-label="Account">
          <Link href="/">Home</Link>
          <Link href="/profile">Profile</Link>
          <Link href="/password">Password</Link>
          <Link href="/sessions">Sessions</Link>
        </nav>
        <form action={signOut}>
          <button className="secondary">Sign out</button>
        </form>
      </header>
      <main>{children}</main>
    </>
  );
}
