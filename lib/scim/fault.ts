/** Why a SCIM request is refused, in the words of the protocol. RFC 7644 3.12 */
import type { Resource } from "./resource.ts";
import { URN } from "./resource.ts";

/** What a client reads of a refusal. `detail` names attributes, and repeats no value. */
export type Fault = {
  readonly status: number;
  readonly scimType?:
    | "invalidFilter"
    | "invalidPath"
    | "invalidSyntax"
    | "invalidValue"
    | "mutability"
    | "noTarget"
    | "tooMany"
    | "uniqueness";
  readonly detail: string;
};

/** Something, or why it is refused. */
export type Read<Value> = { readonly value: Value } | { readonly fault: Fault };

/** A refusal with status 400. */
export const refuse = (scimType: NonNullable<Fault["scimType"]>, detail: string) => ({
  fault: { status: 400, scimType, detail } satisfies Fault,
});

/** No resource has this id. */
export const UNKNOWN_RESOURCE = {
  fault: { status: 404, detail: "No such resource: it was never created, or was deleted." } satisfies Fault,
};

/** Another resource has a value that only one may have. */
export const taken = (names: string) => ({
  fault: {
    status: 409,
    scimType: "uniqueness",
    detail: `Another resource has the same ${names}.`,
  } satisfies Fault,
});

/** The message that a client reads. The status is a text. */
export const showFault = ({ status, scimType, detail }: Fault): Resource => ({
  schemas: [URN.error],
  status: String(status),
  ...(scimType === undefined ? {} : { scimType }),
  detail,
});
