import type { ReactNode } from "react";
import { Nav } from "@/components/nav";
import { signOut } from "@/server/actions";

export default function Layout({ children }: { children: ReactNode }) {
  return (
    <>
      <header>
        <Nav />
        <form action={signOut}>
          <button className="secondary">Sign out</button>
        </form>
      </header>
      <main>{children}</main>
    </>
  );
}
