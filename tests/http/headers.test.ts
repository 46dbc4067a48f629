/** Others write the head of a request. Whatever it says, reading it costs no more than the answer does. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { createApp } from "../../index.ts";
import { createClientAddress } from "../../lib/http/client_address.ts";
import { readFlowRecords, readSessionCookies } from "../../lib/http/cookies.ts";
import { TEXTS } from "../../lib/pages/texts/languages.ts";
import { LANGUAGES } from "../../lib/text/languages.ts";
import { useJanus } from "../harness/hooks.ts";
import { startJanusWithForger, UNHEARD } from "../harness/janus.ts";

const janus = useJanus(() => startJanusWithForger());
const limited = useJanus(() => startJanusWithForger({ environment: { RATE_LIMIT_PER_MINUTE: "1" } }));

/** Bun takes heads of 16 KiB. */
const HEAD_BYTES = 15_000;
const fill = (part: string): string => part.repeat(Math.floor(HEAD_BYTES / part.length));
/** A record that may be ours until it is opened. */
const record = (name: string, index: number): string =>
  `janus_flow_${name}=login.${index.toString(36)}.${"s".repeat(43)}`;
const records = (nameOf: (index: number) => string): string =>
  Array.from({ length: 180 }, (_, index) => record(nameOf(index), index)).join("; ");

type Head = Readonly<Record<string, string>>;
type Ask = (path: string, headers: Head) => Promise<unknown>;

const askOf = (at: typeof janus): Ask => {
  const app = createApp(at.shared, { ...UNHEARD, peerAddress: () => "192.0.2.1" });
  return async (path, headers) => app.fetch(new Request(at.url + path, { headers }));
};

const CALLS = 25;
const ROUNDS = 8;
type Call = () => Promise<unknown>;
async function roundOf(call: Call): Promise<number> {
  const before = process.cpuUsage();
  for (let count = 0; count < CALLS; count += 1) await call();
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

/**
 * How many times as much CPU a call costs as a plain one. The least of a few rounds of each, in turns, since the machine
 * does other things as well.
 */
async function ratioOf(call: Call, plain: Call): Promise<number> {
  const [costs, plainCosts]: [number[], number[]] = [[], []];
  for (let round = 0; round < ROUNDS; round += 1) {
    plainCosts.push(await roundOf(plain));
    costs.push(await roundOf(call));
  }
  return Math.min(...costs) / Math.min(...plainCosts);
}

/** With their bounds they cost up to twelve times as much as the cheapest answer, without them a hundred times or more. */
const TIMES = 30;
/** A head of the same size that nobody reads. */
const UNREAD = { "x-unread": fill("a") };

/** Fails where reading a head costs a multiple of what the answer does. */
async function expectCheap(ask: Ask, path: string, plainPath: string, headers: Head): Promise<void> {
  const ratio = await ratioOf(
    () => ask(path, headers),
    () => ask(plainPath, UNREAD),
  );

  expect(ratio).toBeLessThan(TIMES);
}

const CALLBACK = "/dsek-oauth-callback?code=a&state=b";

describe("the cost of a head", () => {
  test.each([
    ["an Accept of many types", CALLBACK, { accept: fill("a/b,") }],
    ["an Accept of many qualities", CALLBACK, { accept: fill("a/b;q=0.1,") }],
    ["an Accept of the same page", "/", { accept: fill("text/html,") }],
    ["the longest Accept", CALLBACK, { accept: "a/b,".repeat(125) }],
    ["an Accept of quotes", CALLBACK, { accept: fill('a/b;x="y,",') }],
    ["an Accept-Language of many", "/", { "accept-language": fill("sv,") }],
    ["an Accept-Language of commas", "/", { "accept-language": fill(",") }],
    ["the longest Accept-Language", "/", { "accept-language": "sv-SE,a,".repeat(62) }],
    ["a Cookie of semicolons", "/linked-role", { cookie: fill(";") }],
    ["a Cookie of many pairs", "/linked-role", { cookie: fill("a=b;") }],
    ["a Cookie of many names of ours", "/linked-role", { cookie: fill("janus_flow_a=x;") }],
    ["a Cookie of many flows", "/linked-role", { cookie: records((index) => `a${index}`) }],
    ["a Cookie of many flows of one name", CALLBACK, { cookie: records(() => "a") }],
    [
      "a Cookie of the flow's name",
      `/login?code=a&state=${"a".repeat(43)}`,
      { cookie: records(() => "a".repeat(16)) },
    ],
    ["a Cookie of many ids", "/account", { cookie: fill(`sessionId=${"a".repeat(42)};`) }],
    ["a Cookie of blanks", "/linked-role", { cookie: `a${" ".repeat(HEAD_BYTES)}janus_flow_a=x` }],
    ["an X-Forwarded-For", "/", { "x-forwarded-for": fill("10.0.0.1,") }],
    ["a User-Agent", CALLBACK, { "user-agent": fill("Chrome/") }],
    ["an X-Request-Id", "/", { "x-request-id": fill("a") }],
    ["an Origin", "/", { origin: fill("a") }],
    ["a Content-Type", "/", { "content-type": `application/x-www-form-urlencoded${fill(" ")}` }],
    ["a Content-Length", "/", { "content-length": fill("1") }],
    ["a Sec-Purpose", "/linked-role", { "sec-purpose": fill(" prefetc") }],
  ] satisfies readonly (readonly [string, string, Head])[])("stays low for %s", async (_, path, headers) => {
    await expectCheap(askOf(janus), path, path, headers);
  });

  test.each([
    ["a path of many segments", `/${fill("a/")}`, "/nowhere"],
    ["a path of slashes", fill("/"), "/nowhere"],
    ["a query of many parameters", `/dsek-oauth-callback?${fill("a=b&")}`, CALLBACK],
    ["a query of many codes", `/discord-oauth-callback?${fill("code=a&")}`, CALLBACK],
    ["a query of many states at the sign-in", `/login?${fill("state=a&")}`, "/login?code=a&state=b"],
    ["a query of escapes", `/login?code=${fill("%41")}`, "/login?code=a&state=b"],
    ["a query of ampersands", `/account?${fill("&")}`, "/account"],
  ])("stays low for %s", async (_, path, plainPath) => {
    await expectCheap(askOf(janus), path, plainPath, {});
  });

  test.each([
    ["an Accept of many types", { accept: fill("a/b,") }],
    ["the longest Accept", { accept: "a/b,".repeat(125) }],
    ["the longest Accept-Language", { "accept-language": "sv-SE,a,".repeat(62) }],
    ["a Cookie of many flows", { cookie: records((index) => `a${index}`) }],
  ] satisfies readonly (readonly [string, Head])[])("stays low in a flood for %s", async (_, headers) => {
    await expectCheap(askOf(limited), CALLBACK, CALLBACK, headers);
  });

  test.each([
    ["trusted hops", fill("10.0.0.1,")],
    ["commas", fill(",")],
    ["one long hop", fill("1:")],
    ["a hop in brackets", fill("[")],
  ])("stays low for an X-Forwarded-For of %s", async (_, forwarded) => {
    /** One alone is too little to measure. */
    const FINDS = 20;
    const find = createClientAddress(["10.0.0.0/8"], () => undefined);
    const askFor = (header: string) => {
      const request = new Request("https://janus.test/", { headers: { "x-forwarded-for": header } });
      return async () => {
        for (let count = 0; count < FINDS; count += 1) find("10.0.0.1", request);
      };
    };

    const ratio = await ratioOf(askFor(`${forwarded}10.0.0.1`), askFor("192.0.2.1, 10.0.0.2, 10.0.0.1"));

    expect(ratio).toBeLessThan(TIMES);
  });
});

describe("a request's head", () => {
  const ask = (headers: Head, at = janus, path = "/nowhere") => fetch(at.url + path, { headers });

  test("counts without an Accept or Accept-Language that is too long", async () => {
    const long = "text/html;q=0.1,application/json,".repeat(20);
    const answers = [
      await ask({ accept: long, "accept-language": "sv,".repeat(200) }),
      await ask({ accept: long }, janus, "/api/nowhere"),
    ];

    expect(answers.map(({ headers }) => headers.get("content-type"))).toEqual([
      "text/html; charset=utf-8",
      "application/problem+json",
    ]);
    expect(answers[0]?.headers.get("content-language")).toBe("en");
  });

  test("is read with the longest Accept headers that browsers send", async () => {
    const accept =
      "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8,application/signed-exchange;v=b3;q=0.7";
    const languages = ["da", "nb", "nn", "fi", "is", "sv-FI", "sv", "de", "en-GB", "en"];
    const weighed = languages.map((tag, index) => `${tag};q=${(1 - index / 10).toFixed(1)}`).join(",");

    const response = await ask({ accept, "accept-language": weighed });

    expect(response.headers.get("content-type")).toBe("text/html; charset=utf-8");
    expect(response.headers.get("content-language")).toBe("sv");
  });

  test.each([...LANGUAGES])("gets pages in %s for its tags, also in a flood", async (language) => {
    const { locale } = TEXTS[language];
    await ask({}, limited);
    const asked = [`${locale},${language};q=0.9`, language.toUpperCase(), `${language};q=0.9,*;q=0.1`];

    for (const tags of asked) {
      const headers = { accept: "text/html", "accept-language": tags };
      const answers = [await ask(headers), await ask(headers, limited)];
      expect(answers.map((answer) => answer.headers.get("content-language"))).toEqual([language, language]);
      for (const answer of answers) expect(await answer.text()).toContain(`<html lang="${language}">`);
    }
  });

  test.each(["fi", "x", "english", "den", "", "*"])("gets the first language for %j", async (tags) => {
    await ask({}, limited);
    const headers = { accept: "text/html", "accept-language": tags };
    const answers = [await ask(headers), await ask(headers, limited)];

    expect(answers.map((answer) => answer.headers.get("content-language"))).toEqual(["en", "en"]);
  });

  test("decides the language and form of the refusal of a flood", async () => {
    await ask({}, limited);
    const wants = [
      { accept: "text/html,*/*;q=0.8", "accept-language": "sv-SE,sv;q=0.9,en;q=0.8" },
      { accept: "application/json", "accept-language": "en" },
      { accept: "*/*" },
      {},
    ];

    const answers = [];
    for (const headers of wants) answers.push(await ask(headers, limited));

    expect(answers.map(({ status }) => status)).toEqual([429, 429, 429, 429]);
    expect(answers.map(({ headers }) => headers.get("content-type"))).toEqual([
      "text/html; charset=utf-8",
      "application/problem+json",
      "text/html; charset=utf-8",
      "text/html; charset=utf-8",
    ]);
    expect(answers.map(({ headers }) => headers.get("content-language"))).toEqual(["sv", "en", "en", "en"]);
  });

  test.each(["/dsek-oauth-callback", "/discord-oauth-callback", "/login"])(
    "is refused with 400 for a long query at %s",
    async (path) => {
      const query = `code=a&state=${"s".repeat(43)}`;
      const answers = [
        await ask({}, janus, `${path}?${query}&${"a=b&".repeat(60)}`),
        await ask({}, janus, `${path}?${query}&iss=${"i".repeat(9_000)}`),
        await ask({}, janus, `${path}?${query}&${"a=b&".repeat(40)}`),
      ];

      expect(answers.map(({ status }) => status)).toEqual([400, 400, 403]);
    },
  );
});

describe("readFlowRecords() and readSessionCookies()", () => {
  /** Every pair of a Cookie header, as RFC 6265 5.4 describes it. */
  const pairsOf = (header: string): readonly (readonly [string, string])[] =>
    header.split(";").flatMap((pair) => {
      const equals = pair.indexOf("=");
      return equals < 0 ? [] : [[pair.slice(0, equals).trim(), pair.slice(equals + 1).trim()] as const];
    });
  const parts = fc.constantFrom(
    ...[
      "janus_flow_",
      "__Host-janus_flow_",
      "a",
      "b",
      "=",
      ";",
      " ",
      "\t",
      "; ",
      "x",
      "sessionId",
      "sessionKey",
    ],
    ...["s".repeat(43), "t".repeat(43), `sessionId=${"s".repeat(43)}`, `sessionKey=${"k".repeat(43)}`],
  );
  const headers = fc.array(parts, { maxLength: 30 }).map((all) => all.join(""));

  test("find what a slow, plain reader finds", () => {
    fc.assert(
      fc.property(headers, fc.boolean(), (header, secure) => {
        const prefix = secure ? "__Host-janus_flow_" : "janus_flow_";
        const flows = new Map<string, string>();
        for (const [name, value] of pairsOf(header)) {
          const of = name.slice(prefix.length);
          if (name.startsWith(prefix) && /^[\w-]{1,32}$/.test(of) && !flows.has(of)) flows.set(of, value);
        }
        const valuesOf = (wanted: string) =>
          new Set(
            pairsOf(header).flatMap(([name, value]) =>
              name === wanted && /^[\w-]{43}$/.test(value) ? value : [],
            ),
          );

        const found = readSessionCookies(header);

        expect([...readFlowRecords(header, secure)]).toEqual([...flows]);
        expect(found.map(({ sessionId, sessionKey }) => [sessionId, sessionKey])).toEqual(
          [...valuesOf("sessionId")]
            .slice(0, 4)
            .flatMap((id) => [...valuesOf("sessionKey")].slice(0, 4).map((key) => [id, key])),
        );
      }),
      { numRuns: 3_000 },
    );
  });
});
