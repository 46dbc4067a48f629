/** Certificates of an authority that nobody knows, made by openssl for one test file. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Certificate } from "./cluster.ts";

/** An authority, and what it signs. */
export type Authority = AsyncDisposable & {
  /** The file of its own certificate. */
  readonly file: string;
  /** Signs a certificate for these names, such as `DNS:localhost`; one that has expired, if asked. */
  readonly sign: (names: string, expired?: boolean) => Promise<Certificate>;
};

/** Makes an authority. */
export async function createAuthority(): Promise<Authority> {
  const folder = await mkdtemp(join(tmpdir(), "janus-authority-"));
  const at = (name: string) => join(folder, name);
  await openssl(
    "req",
    "-x509",
    ...NEW_KEY,
    "-keyout",
    at("ca.key"),
    "-out",
    at("ca.crt"),
    "-subj",
    "/CN=test",
  );
  let count = 0;
  return {
    file: at("ca.crt"),
    sign: async (names, expired = false) => {
      count += 1;
      const [key, request, cert] = [at(`${count}.key`), at(`${count}.csr`), at(`${count}.crt`)];
      await openssl("req", ...NEW_KEY, "-keyout", key, "-out", request, "-subj", "/CN=server");
      await Bun.write(at("ca.cnf"), configuration(folder, names));
      await Bun.write(at("index.txt"), "");
      await Bun.write(at("serial"), `0${count}\n`);
      const dates = expired ? ["20200101000000Z", "20210101000000Z"] : ["20200101000000Z", "20490101000000Z"];
      await openssl(
        ...["ca", "-batch", "-notext", "-config", at("ca.cnf"), "-in", request, "-out", cert],
        ...[
          "-cert",
          at("ca.crt"),
          "-keyfile",
          at("ca.key"),
          "-startdate",
          dates[0] ?? "",
          "-enddate",
          dates[1] ?? "",
        ],
      );
      return { cert: await Bun.file(cert).text(), key: await Bun.file(key).text() };
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

const NEW_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];

const configuration = (folder: string, names: string): string =>
  [
    "[ca]",
    "default_ca = own",
    "[own]",
    `database = ${folder}/index.txt`,
    `serial = ${folder}/serial`,
    `new_certs_dir = ${folder}`,
    "default_md = sha256",
    "policy = any",
    "x509_extensions = names",
    "[any]",
    "commonName = supplied",
    "[names]",
    `subjectAltName = ${names}`,
  ].join("\n");

async function openssl(...args: readonly string[]): Promise<void> {
  const child = Bun.spawn(["openssl", ...args], { stdin: "ignore", stdout: "ignore", stderr: "pipe" });
  if ((await child.exited) !== 0) throw new Error(`openssl: ${await new Response(child.stderr).text()}`);
}
