/**
 * What a statement is to the program: its text, the shape of its parameters and of its rows, and how it is run. Called
 * by the other files of this folder.
 */
import * as v from "valibot";
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
/** jsonb as we write it, and as it is read: what is read was written by us, perhaps by another release. */
export const object = v.record(text, v.union([text, v.pipe(v.array(text), v.readonly())]));

/** What later sign-ins have replaced of a provider's tokens, the oldest first. */
export const replacedTokens = v.pipe(
  v.array(v.object({ kind: v.picklist(["access_token", "refresh_token"]), sealed: text })),
  v.readonly(),
);

type Entries = Readonly<Record<string, v.GenericSchema<Parameter>>>;

/** Parameters in the order of their `$n`, columns of a row by name. */
export type Statement = {
  readonly text: string;
  readonly parameters: Entries;
  readonly row: v.ObjectEntries;
  /** The column that must come back as it was asked for: a row that says otherwise answers another question. */
  readonly echoes?: string;
};

type Values<S extends Statement> = {
  readonly [Name in keyof S["parameters"]]: v.InferOutput<S["parameters"][Name]>;
};
type Row<S extends Statement> = v.InferOutput<v.ObjectSchema<S["row"], undefined>>;

/** A statement that gives any number of rows. */
export function many<S extends Statement>(db: Database, statement: S) {
  const names = Object.keys(statement.parameters);
  const rows = v.array(v.object<S["row"]>(statement.row));
  const { echoes } = statement;
  return async (values: Values<S>): Promise<readonly Row<S>[]> => {
    const byName: Readonly<Record<string, Parameter>> = values;
    const parameters = names.map((name) => byName[name] ?? null);
    const isAnswer =
      echoes === undefined ? undefined : (row: unknown) => fieldOf(row, echoes) === byName[echoes];
    return v.parse(rows, await db.query(statement.text, parameters, isAnswer));
  };
}

const fieldOf = (row: unknown, name: string): unknown =>
  typeof row === "object" && row !== null ? Reflect.get(row, name) : undefined;

/** A statement that gives a row or none. */
export function one<S extends Statement>(db: Database, statement: S) {
  const run = many(db, statement);
  return async (values: Values<S>): Promise<Row<S> | undefined> => (await run(values))[0];
}

/** A statement that gives nothing. */
export function none<S extends Statement>(db: Database, statement: S) {
  const run = many(db, statement);
  return async (values: Values<S>): Promise<void> => {
    await run(values);
  };
}
