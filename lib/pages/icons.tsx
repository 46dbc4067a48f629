/**
 * Every drawn icon of the pages. Each has one meaning, on every page and in every size. An icon stands beside words that
 * say the same, so it is hidden from screen readers.
 *
 * @jsxImportSource preact -- Bun reads tsconfig.json from the folder it is started in, which may be another one.
 */

/** Lines on a square of 24 units, drawn with a round pen. */
const ICON_PATH = {
  /** It is done. */
  done: "M5 12.5l4.5 4.5L19 7.5",
  /** It stopped. Nothing was changed, and nothing is wrong. */
  stopped: "M9 7v10M15 7v10",
  /** Something went wrong. */
  attention: "M12 5v9M12 18.8v.01",
  /** The member is not signed in. */
  signedOut: "M6.5 11h11v8.5h-11zM8.5 11V8a3.5 3.5 0 0 1 7 0v3M12 14.5v1.5",
  /** A link moves to other accounts. */
  move: "M4 9h15l-4-4M20 15H5l4 4",
  /** A link ends. */
  unlink:
    "M6.5 12.5l-2 2a3.54 3.54 0 0 0 5 5l2-2M17.5 11.5l2-2a3.54 3.54 0 0 0-5-5l-2 2M8.5 4v2.5M4 8.5h2.5M15.5 17.5V20M17.5 15.5H20",
  /** Another account comes. */
  another: "M10 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM3.5 19.5a6.5 6.5 0 0 1 13 0M19.5 7v6M16.5 10h6",
  /** On to another page. */
  onward: "M5 12h14M13 6l6 6-6 6",
  /** Away from Janus. */
  elsewhere: "M6.5 17.5l11-11M8.5 6.5h9v9",
  /** A file comes. */
  download: "M12 4v11M7 10.5l5 5 5-5M5 20h14",
} as const;

/** An icon, by its meaning. */
export type IconName = keyof typeof ICON_PATH;

/** An icon in the colour of the text around it. */
export function Icon({ name }: { readonly name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
      <path d={ICON_PATH[name]} />
    </svg>
  );
}
