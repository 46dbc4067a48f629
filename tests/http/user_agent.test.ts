import { describe, expect, test } from "bun:test";
import { describeUserAgent } from "../../lib/http/user_agent.ts";

const WEBKIT = "AppleWebKit/605.1.15 (KHTML, like Gecko)";
const BLINK = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0";
const WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64)";
const MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)";
const LINUX = "Mozilla/5.0 (X11; Linux x86_64)";
const ANDROID = "Mozilla/5.0 (Linux; Android 15; K)";
const IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X)";
const IPAD = "Mozilla/5.0 (iPad; CPU OS 18_6 like Mac OS X)";

describe("describeUserAgent()", () => {
  test.each([
    ["Chrome on Windows", `${WINDOWS} ${BLINK} Safari/537.36`],
    ["Chrome on macOS", `${MAC} ${BLINK} Safari/537.36`],
    ["Chrome on Android", `${ANDROID} ${BLINK} Mobile Safari/537.36`],
    ["Chrome on iPhone", `${IPHONE} ${WEBKIT} CriOS/140.0.7339.101 Mobile/15E148 Safari/604.1`],
    ["Chrome on ChromeOS", `Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) ${BLINK} Safari/537.36`],
    ["Chrome on Linux", `${LINUX} AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/140.0 Safari/537.36`],
    ["Edge on Windows", `${WINDOWS} ${BLINK} Safari/537.36 Edg/140.0.0.0`],
    ["Edge on Windows", `${WINDOWS} ${BLINK} Safari/537.36 Edge/18.19045`],
    ["Edge on Android", `${ANDROID} ${BLINK} Mobile Safari/537.36 EdgA/140.0.0.0`],
    ["Edge on iPhone", `${IPHONE} ${WEBKIT} Version/18.0 EdgiOS/140.0.0.0 Mobile/15E148 Safari/605.1.15`],
    ["Firefox on Linux", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"],
    [
      "Firefox on Windows",
      "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:142.0) Gecko/20100101 Firefox/142.0",
    ],
    ["Firefox on Android", "Mozilla/5.0 (Android 15; Mobile; rv:142.0) Gecko/142.0 Firefox/142.0"],
    ["Firefox on iPad", `${IPAD} ${WEBKIT} FxiOS/142.0 Mobile/15E148 Safari/604.1`],
    ["Firefox Focus on iPhone", `${IPHONE} ${WEBKIT} Focus/142.0 Mobile/15E148 Safari/604.1`],
    ["Safari on iPhone", `${IPHONE} ${WEBKIT} Version/18.6 Mobile/15E148 Safari/604.1`],
    ["Safari on iPad", `${IPAD} ${WEBKIT} Version/18.6 Mobile/15E148 Safari/604.1`],
    ["Safari on macOS", `${MAC} ${WEBKIT} Version/18.6 Safari/605.1.15`],
    ["Opera on Windows", `${WINDOWS} ${BLINK} Safari/537.36 OPR/121.0.0.0`],
    ["Opera on iPhone", `${IPHONE} ${WEBKIT} Version/18.6 Mobile/15E148 Safari/604.1 OPT/5.5.0`],
    [
      "Samsung Internet on Android",
      `${ANDROID} AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36`,
    ],
    ["Vivaldi on Linux", `${LINUX} ${BLINK} Safari/537.36 Vivaldi/7.5`],
    ["Yandex Browser on Windows", `${WINDOWS} ${BLINK} YaBrowser/25.8.0.0 Safari/537.36`],
    ["DuckDuckGo on macOS", `${MAC} ${WEBKIT} Version/18.6 Safari/605.1.15 Ddg/18.6`],
    ["DuckDuckGo on Android", `${ANDROID} ${BLINK} Mobile DuckDuckGo/5 Safari/537.36`],
    ["Google app on iPhone", `${IPHONE} ${WEBKIT} GSA/383.0 Mobile/15E148 Safari/604.1`],
    ["GNOME Web on Linux", `${LINUX} ${WEBKIT} Version/18.0 Safari/605.1.15 Epiphany/605.1.15`],
  ])("says %s for %s", (described, header) => {
    expect(describeUserAgent(header)).toBe(described);
  });

  test.each([
    ["the system alone", "iPhone", `${IPHONE} ${WEBKIT} Mobile/15E148 SomeApp 1.0`],
    ["the browser alone", "Firefox", "Firefox/140.0"],
    ["nothing for a program", null, "curl/8.5.0"],
    ["nothing for an empty header", null, ""],
    ["nothing without a header", null, null],
    ["nothing of what comes after 1,000 characters", null, `${"x".repeat(1_000)} Firefox/140.0`],
  ])("says %s", (_, described, header) => {
    expect(describeUserAgent(header)).toBe(described);
  });
});
