/**
 * Discord's CDN as far as Janus's pages show it: the avatars of members, and those that Discord gives to members
 * who have none. The pictures are made here, 64 by 64 in two colours, the same for the same address each time.
 */
import { createHash } from "node:crypto";
import { crc32, deflateSync } from "node:zlib";
import type { DiscordState, DiscordUser } from "./discord_api.ts";

/** Answers `GET` of this address; undefined where there is no such picture, as after a wrong user id or hash. */
export function answerPicture(state: DiscordState, url: URL): Response | undefined {
  const [, index] = /^\/embed\/avatars\/([0-5])\.png$/.exec(url.pathname) ?? [];
  // Discord ignores the size here.
  if (index !== undefined) return pictureAnswer(DEFAULT_COLOURS[Number(index)] ?? 0, DEFAULT_PATTERN);

  const [, userId = "", hash] = /^\/avatars\/([0-9]+)\/([^/]+)\.png$/.exec(url.pathname) ?? [];
  if (hash === undefined || state.users.get(userId)?.avatar !== hash) return undefined;
  const size = url.searchParams.get("size");
  if (size !== null && !SIZES.has(size)) return new Response("Invalid size", { status: 400 });
  const seed = createHash("sha256").update(`${userId}/${hash}`).digest();
  return pictureAnswer(seed.readUIntBE(0, 3), seed.subarray(3));
}

/** Where the picture of this user is. */
export function picturePath({ id, avatar }: DiscordUser): string {
  return avatar ? `/avatars/${id}/${avatar}.png` : `/embed/avatars/${(BigInt(id) >> 22n) % 6n}.png`;
}

/** Any power of two from 16 to 4096. */
const SIZES: ReadonlySet<string> = new Set(Array.from({ length: 9 }, (_, power) => String(16 << power)));
const DEFAULT_COLOURS = [0x5865f2, 0x757e8a, 0x3ba55c, 0xfaa61a, 0xed4245, 0xeb459f];
/** Left halves of eight rows: a head and shoulders. */
const DEFAULT_PATTERN = Uint8Array.of(0x0, 0x1, 0x3, 0x3, 0x1, 0x3, 0x7, 0x0);
const YEAR_SECONDS = 31_536_000;

function pictureAnswer(colour: number, pattern: Uint8Array): Response {
  return new Response(drawPng(colour, pattern), {
    headers: { "content-type": "image/png", "cache-control": `public, max-age=${YEAR_SECONDS}` },
  });
}

const SIDE = 64;
const SQUARE = 8;
const PNG_SIGNATURE = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
const [ONE_BIT, PALETTE] = [1, 3];

/** Squares of white on the colour; four bits of each of eight bytes are a row's left half, mirrored on the right. */
function drawPng(colour: number, pattern: Uint8Array): Uint8Array<ArrayBuffer> {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(SIDE, 0);
  header.writeUInt32BE(SIDE, 4);
  header.set([ONE_BIT, PALETTE], 8);
  const palette = Uint8Array.of(colour >> 16, (colour >> 8) & 0xff, colour & 0xff, 0xff, 0xff, 0xff);
  // A row is its filter, none, and a byte for each square: eight pixels of one bit.
  const rows = Array.from({ length: SIDE }, (_, y) => [0, ...row(pattern[Math.floor(y / SQUARE)] ?? 0)]);
  const pixels = deflateSync(Uint8Array.from(rows.flat()));
  const chunks = [chunk("IHDR", header), chunk("PLTE", palette), chunk("IDAT", pixels), chunk("IEND")];
  return Uint8Array.from(Buffer.concat([PNG_SIGNATURE, ...chunks]));
}

function row(bits: number): readonly number[] {
  const left = [8, 4, 2, 1].map((bit) => (bits & bit ? 0xff : 0));
  return [...left, ...left.toReversed()];
}

function chunk(type: string, content: Uint8Array = new Uint8Array()): Uint8Array {
  const typed = Buffer.concat([Buffer.from(type), content]);
  const framed = Buffer.alloc(typed.length + 8);
  framed.writeUInt32BE(content.length, 0);
  framed.set(typed, 4);
  framed.writeUInt32BE(crc32(typed), typed.length + 4);
  return framed;
}
