/**
 * What a statement is to the program: its text, the shape of its parameters and of its rows, how many rows it gives, and
 * how it becomes a function.
 */
import * as v from "valibot";
import { jsonObject, jsonObjectOf } from "../text/json_object.ts";
import type { Database } from "./open.ts";
import type { Parameter } from "./run.ts";

/** text */
export const text = v.string();
/** text, or null */
export const nullableText = v.nullable(text);
/** timestamptz */
export const time = v.date();
/** timestamptz, or null */
export const nullableTime = v.nullable(time);
/** integer, or bigint where the value is small */
export const integer = v.number();
/** jsonb of texts by name, as a role connection has them. */
export const texts = jsonObjectOf(text);
/** jsonb with an object of any form, as a provider gave it. */
export const json = jsonObject;

/** jsonb with a list of objects. */
export const jsonList = v.pipe(v.array(jsonObject), v.readonly());

/** What later sign-ins have replaced of a provider's tokens, the oldest first. */
export const replacedTokens = v.pipe(
  v.array(v.object({ kind: v.picklist(["access_token", "refresh_token"]), sealed: text })),
  v.readonly(),
);

type Entries = Readonly<Record<string, v.GenericSchema<Parameter>>>;

/** A column that comes back as it is in one of the objects of a list, under its name there. */
type ListEcho = { readonly column: string; readonly list: string; readonly name: string };

/** Parameters in the order of their `$n`, columns of a row by name. */
export type Statement = {
  readonly text: string;
  readonly parameters: Entries;
  /** The column that must come back as it was asked for: a row that says otherwise answers another question. */
  readonly echoes?: string | ListEcho;
} & (
  | { readonly gives: "nothing" }
  /** At most one row, or any number of rows. */
  | { readonly gives: "row" | "rows"; readonly row: v.ObjectEntries }
);

type ValuesOf<S extends Statement> = {
  readonly [Name in keyof S["parameters"]]: v.InferOutput<S["parameters"][Name]>;
};
type RowOf<Columns extends v.ObjectEntries> = v.InferOutput<v.ObjectSchema<Columns, undefined>>;
type Answer<Columns extends v.ObjectEntries, Gives> = Gives extends "row"
  ? Promise<RowOf<Columns> | undefined>
  : Promise<readonly RowOf<Columns>[]>;

/** A statement as a function: values by name in, and what it gives out. */
export type QueryOf<S extends Statement> = (
  values: ValuesOf<S>,
) => S extends { readonly row: v.ObjectEntries } ? Answer<S["row"], S["gives"]> : Promise<void>;

/** The function that runs a statement. Its type is `QueryOf` of that statement. */
export function queryOf(db: Pick<Database, "query">, statement: Statement) {
  const { text, gives, echoes } = statement;
  const names = Object.keys(statement.parameters);
  const rows = v.array(v.object("row" in statement ? statement.row : {}));
  return async (values: Readonly<Record<string, Parameter>>): Promise<unknown> => {
    const parameters = names.map((name) => values[name] ?? null);
    const isAnswer = echoes === undefined ? undefined : answersTo(echoes, values);
    const given = v.parse(rows, await db.query(text, parameters, isAnswer));
    if (gives === "nothing") return undefined;
    return gives === "row" ? given[0] : given;
  };
}

/** Whether a row answers the question that was asked with these values. */
function answersTo(
  echoes: string | ListEcho,
  values: Readonly<Record<string, Parameter>>,
): (row: unknown) => boolean {
  if (typeof echoes === "string") return (row) => fieldOf(row, echoes) === values[echoes];
  const { column, list, name } = echoes;
  const given = values[list];
  const asked = Array.isArray(given) ? given.map((item: unknown) => fieldOf(item, name)) : [];
  return (row) => asked.includes(fieldOf(row, column));
}

const fieldOf = (row: unknown, name: string): unknown =>
  typeof row === "object" && row !== null ? Reflect.get(row, name) : undefined;
