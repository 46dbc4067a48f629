/**
 * The document around every page: head, one inline style, brand, heading. Called by `parts.tsx`. No script, and
 * nothing is loaded but the avatar on the account page: `pageCsp()` allows the style by its hash and that image.
 *
 * @jsxImportSource preact -- Bun looks for tsconfig.json where it is started, which need not be here.
 */
import { createHash } from "node:crypto";
import type { ComponentChildren } from "preact";
import { renderToString } from "preact-render-to-string";
import css from "./pages.css" with { type: "text" };

const STYLE_HASH = createHash("sha256").update(css).digest("base64");

/**
 * The Content-Security-Policy of a page that may show images of one origin (as `URL.origin` writes it, never text
 * from outside) or of none. `img-src data:` is for the icon, without which a browser asks for /favicon.ico. Browsers
 * hold `form-action` against redirects too: answer a form with a page. https://www.w3.org/TR/CSP3/
 */
export function pageCsp(imageOrigin?: string): string {
  return [
    "default-src 'none'",
    `style-src 'sha256-${STYLE_HASH}'`,
    imageOrigin === undefined ? "img-src data:" : `img-src data: ${imageOrigin}`,
    "form-action 'self'",
    "frame-ancestors 'none'",
    "base-uri 'none'",
  ].join("; ");
}

/** The Content-Security-Policy of a page without images: every page but the account page. */
export const PAGE_CSP = pageCsp();

const BADGE_PATH = {
  done: "M5 12.5l4.5 4.5L19 7.5",
  stopped: "M9 7v10M15 7v10",
  question: "M4 9h15l-4-4M20 15H5l4 4",
  attention: "M12 5v9M12 18.8v.01",
} as const;

/** The sign above the heading. */
export type Badge = keyof typeof BADGE_PATH;

/** Two profiles, looking away from each other. */
const MARK_PATH = "M11 2a10 10 0 0 0 0 20zM13 5a7 7 0 0 1 0 14z";
const ICON = `data:image/svg+xml,${encodeURIComponent(
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24"><path fill="#6d78ea" d="${MARK_PATH}"/></svg>`,
)}`;

/** What a page is made of. `title` is plain, `heading` the same with its elements. */
export type Frame = {
  readonly language: "en" | "sv";
  readonly platformName: string;
  readonly title: string;
  readonly heading: ComponentChildren;
  readonly body: ComponentChildren;
  readonly badge: Badge | undefined;
};

/** What all pages have in their head, rendered once. */
const HEAD = renderToString(
  <>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <meta name="color-scheme" content="light dark" />
    <link rel="icon" href={ICON} />
    {/* Our own file, unescaped: escaping would break its hash. */}
    <style dangerouslySetInnerHTML={{ __html: css }} />
  </>,
);

/** What stands above every page, once for each organisation: a process knows one. */
const BRANDS = new Map<string, string>();

function renderBrand(platformName: string): string {
  const known = BRANDS.get(platformName);
  if (known !== undefined) return known;
  const brand = renderToString(
    <header class="brand">
      <svg viewBox="0 0 24 24" aria-hidden="true">
        <path d={MARK_PATH} />
      </svg>
      <span>
        <strong>Janus</strong> · <bdi>{platformName}</bdi>
      </span>
    </header>,
  );
  BRANDS.set(platformName, brand);
  return brand;
}

function renderBadge(badge: Badge): string {
  return renderToString(
    <div class={`badge ${badge}`}>
      <svg viewBox="0 0 24 24" aria-hidden="true">
        <path d={BADGE_PATH[badge]} />
      </svg>
    </div>,
  );
}

const BADGES: Readonly<Record<Badge, string>> = {
  done: renderBadge("done"),
  stopped: renderBadge("stopped"),
  question: renderBadge("question"),
  attention: renderBadge("attention"),
};

/** Puts a page into its document. What does not change from page to page is not rendered again. */
export function renderFrame({ language, platformName, title, heading, body, badge }: Frame): string {
  const head = `<head>${HEAD}${renderToString(<title>{`${title} – Janus`}</title>)}</head>`;
  const content = renderToString(
    <>
      <h1>{heading}</h1>
      {body}
    </>,
  );
  const main = `<main>${badge === undefined ? "" : BADGES[badge]}${content}</main>`;
  return `<!doctype html><html lang="${language}">${head}<body>${renderBrand(platformName)}${main}</body></html>`;
}
