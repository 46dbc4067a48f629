/** One icon has one meaning: which badge each page has, and that no two meanings share a drawing. */
import { describe, expect, test } from "bun:test";
import { LANGUAGES } from "../../lib/text/languages.ts";
import { DISCORD_APP_URL, everyPage, PLAIN } from "./samples.ts";

/** The badge of each page. A page that is named after another one has its badge. An error that is not here has `attention`. */
const BADGES: Readonly<Record<string, string | null>> = {
  home: null,
  about: null,
  linked: "done",
  conflict: "move",
  "cancelled at discord": "stopped",
  "cancelled at provider": "stopped",
  account: null,
  admin: null,
  "admin, sign-in": "signedOut",
  "sign-in": "signedOut",
  "unlink question": "unlink",
  unlinked: "done",
  "another account": "another",
  kept: "stopped",
  "not admitted": "stopped",
  refused: "stopped",
  cleared: "stopped",
  "signed out": "signedOut",
  unauthenticated: "signedOut",
  state_mismatch: "stopped",
  flow_finished: "stopped",
  not_linked: "stopped",
  session_unknown: "stopped",
  sync_too_soon: "stopped",
  prefetch_refused: "stopped",
  banned: "stopped",
};

const pages = LANGUAGES.flatMap((language) => Object.entries(everyPage(language, PLAIN)));

const badgeOf = (html: string) =>
  /<div class="badge (\w+)"><svg[^>]*><path d="([^"]+)"/.exec(html)?.slice(1) ?? [null];

/** The drawing in the element that this expression begins. */
const drawingsIn = (start: RegExp): readonly string[] =>
  pages.flatMap(([, html]) =>
    [...html.matchAll(new RegExp(`${start.source}.*?<path d="([^"]+)"`, "gs"))].map(([, path = ""]) => path),
  );

describe("the icons", () => {
  test.each(pages)("%s has the badge of its meaning", (name, html) => {
    const known = BADGES[name] ?? BADGES[name.split(",")[0] ?? ""];

    expect(badgeOf(html)[0]).toBe(known === undefined ? "attention" : known);
  });

  test("stand for one meaning each", () => {
    const badges = pages.map(([, html]) => badgeOf(html)).filter(([badge]) => badge !== null);
    const meanings = new Map(badges.map(([badge, path]) => [badge, path]));

    for (const [badge, path] of badges) expect(path).toBe(meanings.get(badge ?? ""));
    expect(meanings.size).toBe(new Set(Object.values(BADGES)).size);
    expect(new Set(meanings.values()).size).toBe(meanings.size);
  });

  test("of links and buttons say where they lead, and share no drawing with another meaning", () => {
    const [unlink] = drawingsIn(/<div class="badge unlink">/);
    const byMeaning = [
      drawingsIn(/<button class="button danger"[^>]*>/),
      drawingsIn(/<a class="way[^"]*" href="\/(?!api)[^>]*>/),
      drawingsIn(/<a class="way[^"]*" href="\/api\/me\/export"[^>]*>/),
      drawingsIn(new RegExp(`<a class="way[^"]*" href="${DISCORD_APP_URL}"[^>]*>`)),
    ];

    const drawings = byMeaning.map((paths) => new Set(paths));
    expect(drawings.map(({ size }) => size)).toEqual([1, 1, 1, 1]);
    expect([...(drawings[0] ?? [])]).toEqual([unlink ?? ""]);
    const badges = pages.map(([, html]) => badgeOf(html)[1]).filter((path) => path !== undefined);
    expect(new Set([...badges, ...drawings.flatMap((paths) => [...paths])]).size).toBe(
      new Set(badges).size + 3,
    );
  });
});
