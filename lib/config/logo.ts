/**
 * The file that PLATFORM_LOGO names, read once at the start. Its content decides what it is, and never its name. Every
 * member loads it, so the file must be small.
 */
import { configInvalid } from "../errors.ts";
import { decodeText } from "../text/decode.ts";
import { readSmallFile } from "./small_file.ts";

/** A picture that browsers show. */
export type Logo = {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly type: "image/png" | "image/webp" | "image/jpeg" | "image/svg+xml";
};

/** A logo, or its fault: the end of a sentence that begins with the variable's name. */
type Read = Logo | { readonly fault: string };

/** Reads a logo. Throws config_invalid. */
export function readLogo(path: string): Logo {
  const read = readFile(path);
  if ("fault" in read) throw configInvalid(`PLATFORM_LOGO ${read.fault}`);
  return read;
}

/** The fault of a logo; undefined if it can be served. */
export function findLogoFault(path: string): string | undefined {
  const read = readFile(path);
  return "fault" in read ? read.fault : undefined;
}

function readFile(path: string): Read {
  const read = readSmallFile(path);
  return "fault" in read ? read : recognise(read.bytes);
}

/** A kind of picture: how its bytes begin, and whether they are all there. */
type Format = {
  readonly type: Logo["type"];
  readonly begins: (bytes: Buffer) => boolean;
  readonly isWhole: (bytes: Buffer) => boolean;
};

const PNG_SIGNATURE = "89504e470d0a1a0a";
const JPEG_START = "ffd8ff";
const JPEG_END = Buffer.from("ffd9", "hex");
/** The size of a WebP counts from here. https://developers.google.com/speed/webp/docs/riff_container */
const RIFF_HEAD_BYTES = 8;
const RIFF_SIZE_AT = 4;
const WEBP_NAME_AT = 8;

const FORMATS: readonly Format[] = [
  {
    type: "image/png",
    begins: (bytes) => beginsWith(bytes, PNG_SIGNATURE),
    isWhole: (bytes) => bytes.includes("IEND"),
  },
  {
    type: "image/jpeg",
    begins: (bytes) => beginsWith(bytes, JPEG_START),
    // Cameras write more after the end, and a small picture with an end of its own before it.
    isWhole: (bytes) => bytes.includes(JPEG_END),
  },
  {
    type: "image/webp",
    begins: (bytes) =>
      bytes.toString("latin1", 0, RIFF_SIZE_AT) === "RIFF" &&
      bytes.toString("latin1", WEBP_NAME_AT, WEBP_NAME_AT + RIFF_SIZE_AT) === "WEBP",
    isWhole: (bytes) => bytes.readUInt32LE(RIFF_SIZE_AT) + RIFF_HEAD_BYTES <= bytes.length,
  },
];

const beginsWith = (bytes: Buffer, hex: string): boolean => bytes.toString("hex", 0, hex.length / 2) === hex;

function recognise(content: Uint8Array<ArrayBuffer>): Read {
  const bytes = Buffer.from(content.buffer);
  const format = FORMATS.find(({ begins }) => begins(bytes));
  if (format === undefined) return recogniseSvg(content);
  return format.isWhole(bytes)
    ? { bytes: content, type: format.type }
    : { fault: "names a picture that ends too early" };
}

/** What may stand before the root of a document. An entity could make a small file endless, so none is allowed. */
const BEFORE_ROOT = /^(?:<\?xml[^>]*\?>|<!--[\s\S]*?-->|<!DOCTYPE[^>[]*>)/i;
/** Without its namespace an `<img>` shows nothing. */
const SVG_ROOT = /^<svg\s(?:[^>]*\s)?xmlns\s*=\s*(["'])http:\/\/www\.w3\.org\/2000\/svg\1/;

/** A script in it never runs: an `<img>` runs none, and the policy of its own address allows none. */
function recogniseSvg(bytes: Uint8Array<ArrayBuffer>): Read {
  let rest = decodeText(bytes)?.trim() ?? "";
  for (let before = BEFORE_ROOT.exec(rest); before !== null; before = BEFORE_ROOT.exec(rest))
    rest = rest.slice(before[0].length).trimStart();
  if (!/^<svg[\s>]/.test(rest)) return { fault: "names a file that is not a PNG, WebP, JPEG or SVG image" };
  if (!SVG_ROOT.test(rest)) return { fault: 'names an SVG without xmlns="http://www.w3.org/2000/svg"' };
  return rest.includes("</svg")
    ? { bytes, type: "image/svg+xml" }
    : { fault: "names a picture that ends too early" };
}
