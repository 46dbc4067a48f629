/** The recipes of docs/doorbells.md, run as they stand there against a Janus. */
import { describe, expect, test } from "bun:test";
import { createHmac } from "node:crypto";
import { join } from "node:path";
import { HOOK_SECRET } from "../fixtures/hook.ts";
import { readText } from "../fixtures/source.ts";
import { useDatabase, useFolder, useJanus } from "../harness/hooks.ts";
import { startJanusWithForger } from "../harness/janus.ts";
import { freePort } from "../harness/ports.ts";
import { linkOf, trailOf } from "../harness/rows.ts";
import { linkNewMember, subjectOf } from "../harness/walk.ts";

const isSkipped = ["curl", "openssl", "python3"].some((name) => Bun.which(name) === null) && !process.env.CI;
if (isSkipped) console.warn("The recipes for the hook are not run: apt-get install curl openssl python3");

const folder = useFolder("recipes");
const database = useDatabase();
const janus = useJanus(() => startJanusWithForger({ database, environment: { HOOK_SECRET } }));

const DOCUMENT = await readText("docs/doorbells.md");
/** The block of this name. */
function recipe(name: string): string {
  const block = new RegExp(`^\`\`\`\\w+ ${name}\\n([\\s\\S]*?)^\`\`\``, "m").exec(DOCUMENT)?.[1];
  if (block === undefined) throw new Error(`docs/doorbells.md has no recipe ${name}`);
  return block;
}

const linked = (): Promise<string> => linkNewMember(janus);
async function run(command: readonly string[], environment: Readonly<Record<string, string>> = {}) {
  const { stdout, stderr, exited } = Bun.spawn([...command], {
    env: { PATH: process.env.PATH ?? "", HOOK_SECRET, JANUS: janus.url, ...environment },
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, error] = await Promise.all([new Response(stdout).text(), new Response(stderr).text()]);
  return { out, error, status: await exited };
}

const indented = (code: string): string => code.replaceAll(/^(?=.)/gm, "    ");

/** Authentik as it sends a notification: two mappings, each a function, and the body as requests makes it of its JSON. */
const asAuthentik = (pk: number, uid: string, isActive: boolean | undefined): string => `
import json, sys, types, urllib.request

class User:
    def __init__(self, pk=None, is_active=True):
        self.pk, self.is_active, self.uid = pk, is_active, ${JSON.stringify(uid)}

class objects:
    @staticmethod
    def filter(pk):
        return objects
    @staticmethod
    def first():
        return ${isActive === undefined ? "None" : `User(${pk}, ${isActive ? "True" : "False"})`}

User.objects = objects
for name in ("authentik", "authentik.core", "authentik.core.models"):
    sys.modules[name] = types.ModuleType(name)
sys.modules["authentik.core.models"].User = User

def body(user, request, notification):
${indented(recipe("authentik-body"))}
def headers(user, request, notification):
${indented(recipe("authentik-headers").replace("HOOK_SECRET", HOOK_SECRET))}
class Named: pass
notification = Named()
notification.event = Named()
notification.event.context = {"model": {"pk": ${pk}, "app": "authentik_core", "name": "user", "model_name": "user"}}
notification.event.pk = __import__("uuid").uuid4()
given = {"user": None, "request": None, "notification": notification}
sent = json.dumps(body(**given), allow_nan=False).encode("utf-8")
request = urllib.request.Request("${janus.url}/hooks/recheck", sent,
    {"content-type": "application/json", **headers(**given)})
print(urllib.request.urlopen(request).read().decode())
`;

describe.skipIf(isSkipped)("a recipe of docs/doorbells.md", () => {
  test("works with curl and openssl", async () => {
    const user = await linked();
    const script = recipe("hook-curl").replace("the-sub-of-a-member", subjectOf(user));

    const { out, status } = await run(["sh", "-euc", script]);

    expect([JSON.parse(out), status]).toEqual([{ outcome: "rechecked", rechecked: 1, unknown: 0 }, 0]);
    expect(await trailOf(janus, user)).toContain("recheck_asked");
  });

  test("works with Python, for an end and for what takes it back", async () => {
    const user = await linked();
    const program = join(folder, "hook.py");
    const calls = [undefined, true, false].map((gone) => {
      const said = gone === undefined ? "" : `, gone=${gone ? "True" : "False"}`;
      return `print(json.dumps(recheck([${JSON.stringify(subjectOf(user))}]${said})))`;
    });
    await Bun.write(program, `${recipe("hook-python")}\n${calls.join("\n")}\n`);

    const { out, error } = await run(["python3", program]);

    expect(error).toBe("");
    const outcomes = out
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line).outcome);
    expect(outcomes).toEqual(["rechecked", "ended", "restored"]);
  });

  test.each([
    ["that is active", true, "rechecked"],
    ["that is disabled", false, "ended"],
    ["that is deleted", undefined, "ended"],
  ])("works with Authentik's mappings, for an account %s", async (_, isActive, outcome) => {
    const user = await linked();
    const program = join(folder, `authentik-${outcome}-${isActive}.py`);
    await Bun.write(program, asAuthentik(7, subjectOf(user), isActive));

    const { out, error } = await run(["python3", program]);

    expect(error).toBe("");
    expect(JSON.parse(out)).toMatchObject({ outcome, rechecked: 1 });
  });

  test("works with the relay of Keycloak's events, which refuses others", async () => {
    const [user, port] = [await linked(), freePort()];
    const secret = "secret of keycloak-events";
    const program = join(folder, "relay.py");
    await Bun.write(program, recipe("keycloak-relay"));
    const relay = Bun.spawn(["python3", program], {
      env: {
        PATH: process.env.PATH ?? "",
        HOOK_SECRET,
        JANUS: janus.url,
        KEYCLOAK_SECRET: secret,
        PORT: String(port),
      },
      stderr: "ignore",
    });
    const send = async (event: object, key = secret): Promise<number> => {
      const body = JSON.stringify(event);
      const signature = createHmac("sha256", key).update(body).digest("hex");
      const headers = { "content-type": "application/json", "x-keycloak-signature": signature };
      return (await fetch(`http://127.0.0.1:${port}/`, { method: "POST", headers, body })).status;
    };
    const event = (type: string, uid: string, more: object = {}) => ({
      uid,
      type,
      time: Date.now(),
      realmId: "members",
      resourcePath: `users/${subjectOf(user)}`,
      ...more,
    });
    try {
      await until(() =>
        send(event("access.LOGIN", "u-0")).then(
          () => true,
          () => false,
        ),
      );
      const statuses = [
        await send(event("admin.USER-DELETE", "u-1"), "another secret"),
        await send(event("access.LOGIN", "u-2")),
        await send(
          event("admin.GROUP_MEMBERSHIP-DELETE", "u-3", {
            resourcePath: `users/${subjectOf(user)}/groups/g-1`,
          }),
        ),
      ];
      const before = await linkOf(janus, user);
      const disabled = event("admin.USER-UPDATE", "u-4", { representation: '{"enabled":false}' });
      statuses.push(await send(disabled), await send(disabled));
      const gone = await linkOf(janus, user);
      statuses.push(await send(event("admin.USER-UPDATE", "u-5", { representation: '{"enabled":true}' })));
      const back = await linkOf(janus, user);
      statuses.push(await send(event("admin.USER-DELETE", "u-6")));

      expect(statuses).toEqual([401, 204, 200, 200, 200, 200, 200]);
      expect([before?.goneAt, gone?.goneSource, back?.goneAt]).toEqual([null, "hook", null]);
      expect((await linkOf(janus, user))?.goneSource).toBe("hook");
      const trail = await trailOf(janus, user);
      expect(trail.filter((action) => action === "membership_ended")).toHaveLength(2);
      expect(trail).toContain("recheck_asked");
    } finally {
      relay.kill();
      await relay.exited;
    }
  });
});

/** Waits for a program that is starting. */
async function until(isReady: () => Promise<boolean>): Promise<void> {
  while (!(await isReady())) await Bun.sleep(20);
}
