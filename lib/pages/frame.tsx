/**
 * The document around every page: head, inline style, brand and heading. A page runs no script, and loads nothing but the
 * avatar on the member's own page. `pageCsp()` allows that image, and the style by its hash.
 *
 * This room owns what people read: the link flow in `link.tsx`, errors in `error.tsx`, the member's page in `member.tsx`, and
 * every text in `texts/`. Which page is shown is left to the `handlers.ts` of each room, headers and languages to `http/`.
 *
 * @jsxImportSource preact -- Bun reads tsconfig.json from the folder it is started in, which may be another one.
 */
import { createHash } from "node:crypto";
import type { ComponentChildren } from "preact";
import { renderToString } from "preact-render-to-string";
import type { IconName } from "./icons.tsx";
import { Icon } from "./icons.tsx";
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

/** The icons that may stand above the heading: each says what became of the request, or what is asked. */
export type Badge = Extract<
  IconName,
  "done" | "stopped" | "attention" | "signedOut" | "move" | "unlink" | "another"
>;

/** The two faces of Janus, looking away from each other. */
const MARK_PATH = "M11 2a10 10 0 0 0 0 20zM13 5a7 7 0 0 1 0 14z";
const ICON = `data:image/svg+xml,${encodeURIComponent(
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24"><path fill="#6d78ea" d="${MARK_PATH}"/></svg>`,
)}`;

/** The result of the member's last step, in a sentence. `isGood` is false if the step did not do what it should. */
export type Notice = { readonly text: string; readonly isGood: boolean };

/** The parts of a page. `heading` is the title with its elements. */
type Frame = {
  readonly language: "en" | "sv";
  readonly platformName: string;
  readonly title: string;
  readonly heading: ComponentChildren;
  readonly body: ComponentChildren;
  readonly badge: Badge | undefined;
  readonly notice: Notice | undefined;
};

function Head({ title, notice }: Pick<Frame, "title" | "notice">) {
  return (
    <head>
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      <meta name="color-scheme" content="light dark" />
      <link rel="icon" href={ICON} />
      {/* This is our own file. Escaping it would change its hash. */}
      <style dangerouslySetInnerHTML={{ __html: css }} />
      <title>{[notice?.text, title, "Janus"].filter((part) => part !== undefined).join(" – ")}</title>
    </head>
  );
}

function Brand({ platformName }: Pick<Frame, "platformName">) {
  return (
    <header class="brand">
      <svg viewBox="0 0 24 24" aria-hidden="true">
        <path d={MARK_PATH} />
      </svg>
      <span>
        <strong>Janus</strong> · <bdi>{platformName}</bdi>
      </span>
    </header>
  );
}

/**
 * A screen reader announces no text that was there when the page came. So the notice takes the focus, and the title begins
 * with it.
 */
function Announcement({ text, isGood }: Notice) {
  return (
    <p class={isGood ? "notice done" : "notice"} role="status" tabIndex={-1} autofocus>
      {text}
    </p>
  );
}

/** Puts a page into its document. */
export function renderFrame(frame: Frame): string {
  const { language, platformName, title, heading, body, badge, notice } = frame;
  const html = renderToString(
    <html lang={language}>
      <Head title={title} notice={notice} />
      <body>
        <Brand platformName={platformName} />
        <main>
          {notice !== undefined && <Announcement {...notice} />}
          {badge !== undefined && (
            <div class={`badge ${badge}`}>
              <Icon name={badge} />
            </div>
          )}
          <h1>{heading}</h1>
          {body}
        </main>
      </body>
    </html>,
  );
  return `<!doctype html>${html}`;
}
