/** What ends the sign-in of an administrator before its hour: the end of their link, and another provider. */
import { afterEach, describe, expect, test } from "bun:test";
import { addBan } from "../../lib/operator/bans.ts";
import { unlinkMember } from "../../lib/operator/change_link.ts";
import { ADMIN_RULES, BOARD, signInAsAdmin } from "../fixtures/admin.ts";
import { writeRules } from "../fixtures/rules_file.ts";
import { useDatabase, useFolder, useJanus } from "../harness/hooks.ts";
import { createBrowser, startJanusWithForger } from "../harness/janus.ts";
import { callApi } from "../harness/sign_in.ts";
import { newUser, reachForgerCallback } from "../harness/walk.ts";

const folder = useFolder("admin-ends");
const database = useDatabase();
const janus = useJanus(async () =>
  startJanusWithForger({ database, environment: await writeRules(folder, ADMIN_RULES) }),
);
afterEach(() => janus.provider.reset());

const signIns = (subject: string) =>
  database.rows(`select 1 as one from admin_session where subject = '${subject}'`);

/** An administrator who is linked: the browser with the link, two with a sign-in, and one of a colleague's. */
async function enter() {
  const user = newUser();
  const identity = { ...BOARD, sub: `anna-${user}` };
  janus.provider.signInAs(identity);
  const member = createBrowser(janus.url);
  expect((await member.get(await reachForgerCallback(member, user))).status).toBe(200);
  const { browser: first } = await signInAsAdmin(janus, identity);
  const { browser: second } = await signInAsAdmin(janus, identity);
  const { browser: colleague } = await signInAsAdmin(janus, { ...BOARD, sub: `eva-${user}` });
  return { user, identity, member, first, second, colleague };
}
type Entered = Awaited<ReturnType<typeof enter>>;

const unlinkByForm = ({ member }: Entered) => member.post("/account/unlink", {});
const unlinkByApi = ({ member }: Entered) =>
  callApi(janus, "/api/link", { browser: member, method: "DELETE" });
const unlinkByCommand = ({ user }: Entered) =>
  unlinkMember(janus.deps, { discordUserId: user, operator: "eva", reason: undefined });
const unlinkHere = ({ user, first }: Entered) =>
  first.post(`/admin/links/${user}/unlink`, { confirm: "yes" });
const ban = ({ user }: Entered) =>
  addBan(janus.deps, {
    ...{ discordUserId: user, issuer: null, subject: null },
    ...{ expiresAt: null, reason: null, operator: "eva" },
  });

describe("the sign-ins of an administrator end with their link", () => {
  test.each([
    ["the member's own page", unlinkByForm],
    ["the API", unlinkByApi],
    ["a command", unlinkByCommand],
    ["the page of administrators", unlinkHere],
    ["a ban", ban],
  ] as const)("by %s, and those of a colleague stay", async (_, end) => {
    const entered = await enter();
    const { identity, first, second, colleague } = entered;

    await end(entered);

    expect(await signIns(identity.sub)).toEqual([]);
    expect([(await first.get("/admin")).status, (await second.get("/admin")).status]).toEqual([401, 401]);
    expect((await colleague.get("/admin")).status).toBe(200);
    // The provider says that they still administer.
    const { browser } = await signInAsAdmin(janus, identity);
    expect((await browser.get("/admin")).status).toBe(200);
  });
});

describe("the sign-in of an administrator ends with its provider", () => {
  test.each([
    ["another host", () => "https://other.example"],
    ["a slash more", (issuer: string) => `${issuer}/`],
    ["another realm", (issuer: string) => `${issuer}/realms/other`],
  ])("where OIDC_ISSUER is now %s", async (_, otherOf) => {
    const sub = `anna-${newUser()}`;
    const { browser } = await signInAsAdmin(janus, { ...BOARD, sub });
    const before = (await browser.get("/admin")).status;
    await database.rows(
      `update admin_session set issuer = '${otherOf(janus.config.oidc.issuer)}' where subject = '${sub}'`,
    );

    expect([before, (await browser.get("/admin/links")).status]).toEqual([200, 401]);
    expect(await signIns(sub)).toEqual([]);
  });
});
