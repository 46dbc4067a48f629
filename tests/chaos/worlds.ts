/**
 * Which links one person can have, as far as the answers tell. A world is the links that there are, each as the place of
 * its Discord account and of its organisation account, such as "00" or "01,10". An answer that never came leaves two
 * worlds where there was one; the next answer may rule one of them out.
 */

export type World = string;
export type Worlds = ReadonlySet<World>;

/** What an answer makes of the worlds before it. */
export type Told = (before: Worlds) => Worlds;

/** Before anything has happened. */
export const NO_LINKS: Worlds = new Set([""]);

const linksOf = (world: World): readonly string[] => world.split(",").filter((link) => link !== "");
const worldOf = (links: readonly string[]): World => [...new Set(links)].sort().join();
const isOf = (link: string, discord: number): boolean => link.startsWith(String(discord));
const touches = (link: string, discord: number, organisation: number): boolean =>
  isOf(link, discord) || link.endsWith(String(organisation));

const map =
  (change: (links: readonly string[]) => readonly string[] | undefined): Told =>
  (before) => {
    const after = [...before].flatMap((world) => {
      const links = change(linksOf(world));
      return links === undefined ? [] : [worldOf(links)];
    });
    return new Set(after);
  };

/** "Linked": neither account was in another link. */
export const linked = (discord: number, organisation: number): Told =>
  map((links) => {
    const own = `${discord}${organisation}`;
    const isHeld = links.some((link) => link !== own && touches(link, discord, organisation));
    return isHeld ? undefined : [...links, own];
  });

/** "One of them is linked to another": nothing has changed. */
export const inConflict = (discord: number, organisation: number): Told =>
  map((links) => {
    const own = `${discord}${organisation}`;
    return links.some((link) => link !== own && touches(link, discord, organisation)) ? links : undefined;
  });

/** The move was confirmed. */
export const moved = (discord: number, organisation: number): Told =>
  map((links) => [
    ...links.filter((link) => !touches(link, discord, organisation)),
    `${discord}${organisation}`,
  ]);

/** "Unlinked" */
export const unlinked = (discord: number): Told =>
  map((links) =>
    links.some((link) => isOf(link, discord)) ? links.filter((link) => !isOf(link, discord)) : undefined,
  );

/** "Not linked" */
export const notLinked = (discord: number): Told =>
  map((links) => (links.some((link) => isOf(link, discord)) ? undefined : links));

/** The account is shown with its link. */
export const seenLinked = (discord: number, organisation: number): Told =>
  map((links) => (links.includes(`${discord}${organisation}`) ? links : undefined));

/** No answer came, or one that does not say: it was done, or it was not. */
export const perhaps =
  (done: Told): Told =>
  (before) =>
    before.union(done(before));

/** What two browsers were told at the same time, each in its own order. */
export function together(one: readonly Told[], other: readonly Told[]): Told {
  return (before) => {
    const [[first, ...rest], [second, ...others]] = [one, other];
    if (first === undefined) return other.reduce((worlds, told) => told(worlds), before);
    if (second === undefined) return one.reduce((worlds, told) => told(worlds), before);
    return together(rest, other)(first(before)).union(together(one, others)(second(before)));
  };
}
