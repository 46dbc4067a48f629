/**
 * The rules of RFC 6749 and RFC 7636 that every token endpoint holds, written once for the stand-ins:
 * form bodies without repeated parameters, client authentication, PKCE, redirects and errors.
 */
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";

/** The client that an endpoint knows. */
export type RegisteredClient = {
  readonly clientId: string;
  readonly clientSecret: string;
  /** Whether Basic credentials are decoded, as RFC 6749 2.3.1 wants it and Authentik does not; true unless given. */
  readonly decodesBasic?: boolean;
};

/** A token endpoint's body, each parameter once. */
export type Form = ReadonlyMap<string, string>;

/** Reads a form body; undefined when it is none or repeats a parameter. RFC 6749 3.2 */
export function parseForm(contentType: string | null, body: string): Form | undefined {
  if (contentType?.split(";", 1)[0]?.trim().toLowerCase() !== "application/x-www-form-urlencoded") {
    return undefined;
  }
  const pairs = [...new URLSearchParams(body)];
  const form = new Map(pairs);
  return form.size === pairs.length ? form : undefined;
}

/** Authenticates the client by client_secret_basic or client_secret_post; the refusal, or undefined. RFC 6749 2.3 */
export function refuseClient(
  authorization: string | null,
  form: Form,
  client: RegisteredClient,
  allowed: "basic" | "post" | "both" = "both",
): Response | undefined {
  const formSecret = form.get("client_secret");
  if (authorization !== null && formSecret !== undefined) {
    return oauthError("invalid_request", "more than one way of client authentication");
  }

  const isBasic = authorization !== null;
  if (allowed !== "both" && isBasic !== (allowed === "basic")) return oauthError("invalid_client");
  const [clientId, clientSecret] = isBasic
    ? basicCredentials(authorization, client.decodesBasic ?? true)
    : [form.get("client_id"), formSecret];
  const sameClient =
    isSame(clientId ?? "", client.clientId) && isSame(clientSecret ?? "", client.clientSecret);
  const namedClient = form.get("client_id") ?? client.clientId;
  return sameClient && namedClient === client.clientId ? undefined : oauthError("invalid_client");
}

/** Whether the verifier belongs to the S256 challenge; a verifier without a challenge is refused. RFC 7636 4.6 */
export function provesChallenge(challenge: string | undefined, verifier: string | undefined): boolean {
  if (challenge === undefined || verifier === undefined) return challenge === verifier;
  if (!/^[A-Za-z0-9\-._~]{43,128}$/.test(verifier)) return false;
  return isSame(createHash("sha256").update(verifier).digest("base64url"), challenge);
}

/** An error answer of a token endpoint. RFC 6749 5.2 */
export function oauthError(error: string, description?: string): Response {
  const isUnauthenticated = error === "invalid_client";
  const headers = new Headers({ "cache-control": "no-store" });
  if (isUnauthenticated) headers.set("www-authenticate", 'Basic realm="token endpoint"');
  const body = description === undefined ? { error } : { error, error_description: description };
  return Response.json(body, { status: isUnauthenticated ? 401 : 400, headers });
}

/** A redirect back to the client with these parameters; undefined ones stay out. RFC 6749 4.1.2 */
export function redirectBack(
  redirectUri: string,
  params: Readonly<Record<string, string | undefined>>,
): Response {
  const location = new URL(redirectUri);
  for (const [name, value] of Object.entries(params)) {
    if (value !== undefined) location.searchParams.set(name, value);
  }
  return new Response(null, {
    status: 303,
    headers: { location: location.href, "cache-control": "no-store" },
  });
}

/** A new opaque token or code. */
export function randomToken(): string {
  return randomBytes(24).toString("base64url");
}

/** The token of an `Authorization` header of this scheme. RFC 6750 2.1 */
export function schemeToken(authorization: string | null, scheme: "Bearer" | "Bot"): string | undefined {
  return authorization?.startsWith(`${scheme} `) ? authorization.slice(scheme.length + 1) : undefined;
}

function basicCredentials(
  authorization: string,
  decodes: boolean,
): readonly [string | undefined, string | undefined] {
  const encoded = /^Basic ([A-Za-z0-9+/=]+)$/i.exec(authorization)?.[1] ?? "";
  const [, clientId, clientSecret] = /^([^:]*):(.*)$/s.exec(Buffer.from(encoded, "base64").toString()) ?? [];
  return decodes ? [formDecode(clientId), formDecode(clientSecret)] : [clientId, clientSecret];
}

function formDecode(text: string | undefined): string | undefined {
  return text === undefined
    ? undefined
    : (new URLSearchParams(`v=${text.replaceAll("&", "%26")}`).get("v") ?? "");
}

function isSame(left: string, right: string): boolean {
  const [a, b] = [Buffer.from(left), Buffer.from(right)];
  return a.length === b.length && timingSafeEqual(a, b);
}
