/**
 * The document around every page: head, inline style, brand, heading and footer. A page runs no script, and loads nothing
 * but the organisation's logo, and the avatar on the member's own page. `pageCsp()` in `look.ts` allows these images, and
 * the style by its hash.
 *
 * This room owns what people read: the link flow in `link.tsx`, errors in `error.tsx`, the member's page in `member.tsx`,
 * what Janus is in `about.tsx`, and every text in `texts/`. Which page is shown is left to the `handlers.ts` of each room,
 * headers and languages to `http/`.
 *
 *   GET /about             showAbout      in `handlers.ts`
 *   GET /assets/{name}     showAsset      the organisation's logo, in `handlers.ts`
 *
 * @jsxImportSource preact -- Bun reads tsconfig.json from the folder it is started in, which may be another one.
 */
import type { ComponentChildren } from "preact";
import { renderToString } from "preact-render-to-string";
import type { IconName } from "./icons.tsx";
import { Icon } from "./icons.tsx";
import type { Look } from "./look.ts";
import { MARK_PATH } from "./look.ts";

/** The icons that may stand above the heading: each says what became of the request, or what is asked. */
export type Badge = Extract<
  IconName,
  "done" | "stopped" | "attention" | "signedOut" | "move" | "unlink" | "another"
>;

/** The result of the member's last step, in a sentence. `isGood` is false if the step did not do what it should. */
export type Notice = { readonly text: string; readonly isGood: boolean };

/** The parts of a page. `heading` is the title with its elements. */
type Frame = {
  readonly language: string;
  readonly platformName: string;
  readonly look: Look;
  readonly title: string;
  readonly heading: ComponentChildren;
  readonly body: ComponentChildren;
  readonly footer: ComponentChildren;
  readonly badge: Badge | undefined;
  readonly notice: Notice | undefined;
  /** Wider than the pages of members, for lists. */
  readonly isWide: boolean;
};

function Head({ title, notice, look }: Pick<Frame, "title" | "notice" | "look">) {
  return (
    <head>
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      <meta name="color-scheme" content="light dark" />
      <link rel="icon" href={look.icon} />
      {/* This is our own text. Escaping it would change its hash. */}
      <style dangerouslySetInnerHTML={{ __html: look.css }} />
      <title>{[notice?.text, title, "Janus"].filter((part) => part !== undefined).join(" – ")}</title>
    </head>
  );
}

function Brand({ platformName, look: { logo } }: Pick<Frame, "platformName" | "look">) {
  if (logo === undefined)
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
  return (
    <header class="brand own">
      {/* The name beside it says the same. */}
      <img class="logo" src={logo.path} alt="" />
      <span>
        <strong>
          <bdi>{platformName}</bdi>
        </strong>{" "}
        · Janus
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
  const { language, title, heading, body, footer, badge, notice, isWide, ...brand } = frame;
  const html = renderToString(
    <html lang={language}>
      <Head title={title} notice={notice} look={brand.look} />
      <body class={isWide ? "wide" : undefined}>
        <Brand {...brand} />
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
        <footer>{footer}</footer>
      </body>
    </html>,
  );
  return `<!doctype html>${html}`;
}
