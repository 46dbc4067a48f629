/**
 * The document around every page: head, inline style, brand and heading. A page runs no script, and loads nothing but the
 * avatar on the member's own page. `pageCsp()` allows that image, and the style by its hash.
 *
 * @jsxImportSource preact -- Bun reads tsconfig.json from the folder it is started in, which may be another one.
 */
import { createHash } from "node:crypto";
import type { ComponentChildren } from "preact";
import { renderToString } from "preact-render-to-string";
import css from "./style.css" with { type: "text" };

const STYLE_HASH = createHash("sha256").update(css).digest("base64");

/**
 * The Content-Security-Policy of a page. `imageOrigin` is the origin, as `URL.origin` writes it, that the page may show
 * images from; it must never be text from outside. `img-src data:` is for the icon: without an icon, browsers ask for
 * /favicon.ico. Browsers apply `form-action` to redirects too, so answer a form with a page or a redirect to Janus.
 * https://www.w3.org/TR/CSP3/
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

/** The Content-Security-Policy of a page without images, which is every page but the member's own. */
export const PAGE_CSP = pageCsp();

const BADGE_PATH = {
  done: "M5 12.5l4.5 4.5L19 7.5",
  stopped: "M9 7v10M15 7v10",
  question: "M4 9h15l-4-4M20 15H5l4 4",
  attention: "M12 5v9M12 18.8v.01",
} as const;

/** The icon above the heading. */
export type Badge = keyof typeof BADGE_PATH;

/** The two faces of Janus, looking away from each other. */
const MARK_PATH = "M11 2a10 10 0 0 0 0 20zM13 5a7 7 0 0 1 0 14z";
const ICON = `data:image/svg+xml,${encodeURIComponent(
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24"><path fill="#6d78ea" d="${MARK_PATH}"/></svg>`,
)}`;

/** The parts of a page. `heading` is the title with its elements. */
export type Frame = {
  readonly language: "en" | "sv";
  readonly platformName: string;
  readonly title: string;
  readonly heading: ComponentChildren;
  readonly body: ComponentChildren;
  readonly badge: Badge | undefined;
};

/** The head that all pages share, rendered once. */
const HEAD = renderToString(
  <>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <meta name="color-scheme" content="light dark" />
    <link rel="icon" href={ICON} />
    {/* This is our own file. Escaping it would change its hash. */}
    <style dangerouslySetInnerHTML={{ __html: css }} />
  </>,
);

/** The brand above every page, rendered once for each organisation. A process knows one, except in tests. */
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

/** Puts a page into its document. Parts that all pages share are not rendered again. */
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
