// Creates a test certificate authority and its server certificates.

import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { emptyFolder } from "./server.mjs";

export const folder = emptyFolder();
const openssl = (...parameters) => execFileSync("openssl", parameters, { cwd: folder, stdio: ["ignore", "ignore", "pipe"] });
const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];

/** Creates a certificate authority. Returns the path of its certificate, `<name>.pem`. */
export function authority(name) {
  openssl("req", "-x509", ...newKey, "-keyout", `${name}.key`, "-out", `${name}.pem`, "-days", "2", "-subj", `/CN=${name}`, "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign");
  return join(folder, `${name}.pem`);
}

/** Issues a server certificate for names, without IP addresses. Returns the paths of certificate and key. */
export function certificate(issuer, ...names) {
  openssl("req", "-new", ...newKey, "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=server");
  writeFileSync(join(folder, "extensions"), `subjectAltName=${names.map((name) => `DNS:${name}`)}\nbasicConstraints=critical,CA:FALSE\nextendedKeyUsage=serverAuth\n`);
  openssl("x509", "-req", "-in", "server.csr", "-CA", `${issuer}.pem`, "-CAkey", `${issuer}.key`, "-CAcreateserial", "-days", "2", "-extfile", "extensions", "-out", "server.pem");
  return ["server.pem", "server.key"].map((name) => join(folder, name));
}
