/** /openapi.json describes the API, and each endpoint answers as described. */
import { beforeAll, describe, expect, test } from "bun:test";
import { Validator } from "@seriousme/openapi-schema-validator";
import Ajv from "ajv/dist/2020";
import addFormats from "ajv-formats";
import { createApp, ROUTES } from "../../index.ts";
import { OPERATIONS } from "../../lib/api/openapi.ts";
import { databaseUnavailable } from "../../lib/errors.ts";
import { useJanus } from "../harness/hooks.ts";
import { createBrowser, startJanusWithForger, UNHEARD } from "../harness/janus.ts";
import { callApi, signIn } from "../harness/sign_in.ts";
import { newUser, reachForgerCallback } from "../harness/walk.ts";

type Described = {
  readonly content?: Readonly<Record<string, { readonly schema: object }>>;
};
type Document = {
  readonly openapi: string;
  readonly paths: Readonly<
    Record<string, Readonly<Record<string, { readonly responses: Readonly<Record<string, Described>> }>>>
  >;
  readonly components: { readonly schemas: { readonly Problem: object } };
};

const janus = useJanus(() => startJanusWithForger({ forger: { freshSubjects: true } }));
let document: Document;
beforeAll(async () => {
  document = (await (await callApi(janus, "/openapi.json")).json()) as Document;
});

const ajv = addFormats(new Ajv({ strict: false, allErrors: true }));

/** The faults of an answer, by the document; none if it is as described. */
async function faultsOf(path: string, method: string, response: Response): Promise<unknown> {
  const described = document.paths[path]?.[method]?.responses[String(response.status)];
  if (described === undefined) return `${response.status} is not described`;
  const type = response.headers.get("content-type")?.split(";")[0] ?? "";
  const schema = described.content?.[type]?.schema;
  if (schema === undefined) return `${type} is not described`;
  const validate = ajv.compile("$ref" in schema ? document.components.schemas.Problem : closed(schema));
  return validate(await response.json()) ? [] : validate.errors;
}

/** The same schema, which refuses properties that it does not name. */
function closed(schema: object): object {
  return JSON.parse(JSON.stringify(schema), (_, value) =>
    value?.type === "object" && value.properties !== undefined
      ? { ...value, additionalProperties: false }
      : value,
  );
}

const EVERY = Object.entries(OPERATIONS).flatMap(([path, methods]) =>
  Object.keys(methods).map((method) => [method, path] as const),
);

async function linked() {
  const browser = createBrowser(janus.url);
  await browser.get(await reachForgerCallback(browser, newUser()));
  return browser;
}

describe("/openapi.json", () => {
  test("is a valid OpenAPI 3.1 document", async () => {
    const result = await new Validator().validate(structuredClone(document));

    expect(result.errors ?? []).toEqual([]);
    expect(result.valid).toBe(true);
    expect(document.openapi).toStartWith("3.1.");
  });

  test("describes every route of the API and no other", () => {
    const routes = ROUTES.filter(([, path]) => path.startsWith("/api/")).map(
      ([method, path]) => `${method.toLowerCase()} ${path.replace(/:(\w+)/, "{$1}")}`,
    );

    expect(EVERY.map((operation) => operation.join(" ")).sort()).toEqual(routes.sort());
  });

  test("gives each operation an id of its own", () => {
    const ids = Object.values(document.paths).flatMap((methods) =>
      Object.values(methods).map((operation) => (operation as { operationId?: string }).operationId),
    );

    expect(new Set(ids).size).toBe(EVERY.length);
    for (const id of ids) expect(id).toMatch(/^[a-z][A-Za-z]+$/);
  });
});

describe.each(EVERY)("%s %s", (method, path) => {
  const call = (options: Parameters<typeof callApi>[2] = {}, handle = "all") =>
    callApi(janus, path.replace("{handle}", handle), { ...options, method: method.toUpperCase() });

  test("answers a member who has a link as described", async () => {
    const response = await call({ browser: await linked() });

    expect(response.status).toBe(200);
    expect(await faultsOf(path, method, response)).toEqual([]);
  });

  test("answers a member without a link as described", async () => {
    const response = await call({ browser: await signIn(janus, newUser()) });

    expect([200, 404]).toContain(response.status);
    expect(await faultsOf(path, method, response)).toEqual([]);
  });

  test("answers a request without a session as described", async () => {
    const response = await call();

    expect(response.status).toBe(path === "/api/auth/logout" ? 200 : 401);
    expect(await faultsOf(path, method, response)).toEqual([]);
  });

  test("answers as described while the database is down", async () => {
    const browser = await linked();
    const cookie = browser.jar.header(new URL(janus.url));
    const down = () => Promise.reject(databaseUnavailable("down"));
    const queries = Object.fromEntries(Object.keys(janus.deps.queries).map((name) => [name, down]));
    const app = createApp(
      { ...janus.shared, queries: queries as unknown as typeof janus.deps.queries },
      UNHEARD,
    );
    const address = new URL(path.replace("{handle}", "all"), janus.url);
    const headers = { cookie, origin: janus.url };

    const response = await app.fetch(new Request(address, { method: method.toUpperCase(), headers }));

    expect(response.status).toBe(503);
    expect(Number(response.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(await faultsOf(path, method, response)).toEqual([]);
  });
});

describe.each(EVERY.filter(([method]) => method !== "get"))("%s %s", (method, path) => {
  test("refuses another origin as described", async () => {
    const browser = await linked();

    const response = await callApi(janus, path.replace("{handle}", "all"), {
      browser,
      method: method.toUpperCase(),
      origin: "https://elsewhere.example.org",
    });

    expect(response.status).toBe(403);
    expect(await faultsOf(path, method, response)).toEqual([]);
  });
});

test.each([
  ["no HTML with JSON", "text/html;q=0, application/json", "application/problem+json"],
  ["JSON before HTML with JSON", "application/json, text/html;q=0.1", "application/problem+json"],
  ["HTML before JSON with HTML", "text/html, application/json;q=0.9", "text/html"],
  ["a browser with HTML", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "text/html"],
  ["problem+json with JSON", "application/problem+json", "application/problem+json"],
  ["anything with JSON", "*/*", "application/problem+json"],
  ["an image with JSON", "image/png", "application/problem+json"],
  ["nothing with JSON", "", "application/problem+json"],
  ["nonsense with JSON", "%%%;;;,,,", "application/problem+json"],
])("GET /api/userinfo answers an Accept of %s", async (_, accept, type) => {
  const response = await callApi(janus, "/api/userinfo", { headers: { accept } });

  expect(response.headers.get("content-type")).toStartWith(type);
});

test("a problem is in the client's language, and a page if the client accepts one", async () => {
  const swedish = await callApi(janus, "/api/userinfo", { headers: { "accept-language": "sv" } });
  const page = await callApi(janus, "/api/userinfo", { headers: { accept: "text/html" } });
  const problem = await callApi(janus, "/account/unlink", { headers: { accept: "application/json" } });

  expect(swedish.headers.get("content-language")).toBe("sv");
  expect(page.headers.get("content-type")).toStartWith("text/html");
  expect(problem.headers.get("content-type")).toBe("application/problem+json");
});
