import "server-only";
import { createHash, randomUUID } from "node:crypto";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** Keeps the refresh token of each session. With several instances of this app, all of them must use the same store. */
export interface SessionStore {
  get(id: string): Promise<string | null>;
  /** Must have stored the token when its promise resolves. */
  set(id: string, refreshToken: string): Promise<void>;
  delete(id: string): Promise<void>;
}

/** One file for each session. Survives a restart. */
class FileStore implements SessionStore {
  constructor(private readonly folder: string) {}

  async get(id: string): Promise<string | null> {
    try {
      return await readFile(this.path(id), "utf8");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
      throw error;
    }
  }

  async set(id: string, refreshToken: string): Promise<void> {
    const draft = `${this.path(id)}.${randomUUID()}`;
    await mkdir(this.folder, { recursive: true, mode: 0o700 });
    await writeFile(draft, refreshToken, { mode: 0o600, flush: true });
    await rename(draft, this.path(id));
  }

  async delete(id: string): Promise<void> {
    await rm(this.path(id), { force: true });
  }

  /** The id comes from a cookie: its hash is a safe name, and does not reveal the cookie. */
  private path(id: string): string {
    return join(this.folder, createHash("sha256").update(id).digest("hex"));
  }
}

export const store: SessionStore = new FileStore(process.env.SESSIONS_FOLDER ?? ".sessions");
