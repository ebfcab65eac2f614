import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

// A local Hallpass allows pages of this port. For another one, set its ALLOWED_ORIGINS.
const server = { port: 5173, strictPort: true };

export default defineConfig({ plugins: [react()], server, preview: server });
