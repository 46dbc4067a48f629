/**
 * The API in OpenAPI 3.1, built from the schemas that check and type it. https://spec.openapis.org/oas/v3.1.0
 */
import { toJsonSchema } from "@valibot/to-json-schema";
import type * as v from "valibot";
import * as schemas from "./schemas.ts";

type Answer = { readonly description: string; readonly schema?: v.GenericSchema };
type Operation = {
  readonly summary: string;
  readonly answers: Readonly<Record<number, Answer>>;
  /** Changes something: Origin must be PUBLIC_URL. */
  readonly changes?: boolean;
  /** Works without a session as well. */
  readonly anybody?: boolean;
  readonly parameters?: readonly object[];
};

const PROBLEMS: Readonly<Record<string, string>> = {
  401: "No session, or none any more: sign in at /login",
  403: "The Origin header is not PUBLIC_URL, or Discord has ended the grant of the link",
  404: "There is no such thing of this member",
  429: "Asked again too soon: Retry-After says when",
  503: "Discord or the database gives no answer: Retry-After says when to try again",
  default:
    "Any other failure, such as a method that the path does not have, or an answer of Discord's that was a no",
};

/** OpenAPI 3.1 implies JSON Schema 2020-12, so no schema names it. */
function jsonSchema(schema: v.GenericSchema): object {
  const { $schema: _, ...rest } = toJsonSchema(schema, { target: "draft-2020-12" });
  return rest;
}

const HANDLE = {
  name: "handle",
  in: "path",
  required: true,
  description: "A session's handle, or `all` for every other session",
  schema: jsonSchema(schemas.sessionHandle),
};

/** Every operation of the API, by path and method. */
export const OPERATIONS: Readonly<Record<string, Readonly<Record<string, Operation>>>> = {
  "/api/userinfo": {
    get: {
      summary: "The member as Discord knows them now, with their link and what it says of the role",
      answers: { 200: { description: "The member", schema: schemas.userinfo } },
    },
  },
  "/api/auth/logout": {
    post: {
      summary: "End this session; the link stays",
      answers: { 200: { description: "There is no session now", schema: schemas.done } },
      changes: true,
      anybody: true,
    },
  },
  "/api/sessions": {
    get: {
      summary: "The member's sessions, this one included",
      answers: { 200: { description: "The sessions", schema: schemas.sessionList } },
    },
  },
  "/api/sessions/{handle}": {
    delete: {
      summary: "End another session, or all others",
      answers: { 200: { description: "They have ended", schema: schemas.sessionsEnded } },
      changes: true,
      parameters: [HANDLE],
    },
  },
  "/api/link": {
    delete: {
      summary: "Undo the link: role connection, grants, claims and sessions end",
      answers: { 200: { description: "The link is gone", schema: schemas.unlinked } },
      changes: true,
    },
  },
  "/api/link/sync": {
    post: {
      summary: "Read the claims again and tell Discord, at most once a minute",
      answers: { 200: { description: "What came of it", schema: schemas.synced } },
      changes: true,
    },
  },
  "/api/me/export": {
    get: {
      summary: "Everything that is stored of the member, secrets as present or absent",
      answers: { 200: { description: "A file", schema: schemas.storedData } },
    },
  },
};

/** Which problems an operation may answer with. */
function problemsOf(path: string, { changes, anybody }: Operation): readonly (number | "default")[] {
  const concernsLink = path.startsWith("/api/link");
  return [
    ...(anybody === true ? [] : [401]),
    ...(changes === true ? [403] : []),
    ...(concernsLink || path.includes("{") || path.endsWith("/export") ? [404] : []),
    ...(path === "/api/link/sync" ? [429] : []),
    503,
    "default",
  ];
}

/** The whole document. */
export function createOpenApi(publicUrl: string, version: string): object {
  return {
    openapi: "3.1.0",
    info: {
      title: "Janus",
      version,
      description: "A member's own link between Discord and the organisation.",
      license: { name: "MIT", identifier: "MIT" },
    },
    servers: [{ url: publicUrl }],
    security: [{ sessionId: [], sessionKey: [] }],
    paths: Object.fromEntries(
      Object.entries(OPERATIONS).map(([path, methods]) => [
        path,
        Object.fromEntries(
          Object.entries(methods).map(([method, operation]) => [
            method,
            describeOperation(path, method, operation),
          ]),
        ),
      ]),
    ),
    components: {
      schemas: { Problem: jsonSchema(schemas.problem) },
      securitySchemes: {
        sessionId: { type: "apiKey", in: "cookie", name: "sessionId" },
        sessionKey: { type: "apiKey", in: "cookie", name: "sessionKey" },
      },
    },
  };
}

function describeOperation(path: string, method: string, operation: Operation): object {
  const answers = Object.entries(operation.answers).map(([status, { description, schema }]) => [
    status,
    {
      description,
      ...(schema === undefined ? {} : { content: { "application/json": { schema: jsonSchema(schema) } } }),
    },
  ]);
  const problems = problemsOf(path, operation).map((status) => [
    String(status),
    {
      description: PROBLEMS[status] ?? "",
      content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
    },
  ]);
  return {
    operationId: `${method} ${path}`
      .replaceAll(/[^A-Za-z]+(.)/g, (_, next: string) => next.toUpperCase())
      .replaceAll("}", ""),
    summary: operation.summary,
    ...(operation.anybody === true ? { security: [] } : {}),
    ...(operation.parameters === undefined ? {} : { parameters: operation.parameters }),
    responses: Object.fromEntries([...answers, ...problems]),
  };
}
