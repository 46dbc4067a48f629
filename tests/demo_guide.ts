/** The first page of the demo: who can sign in, what the organisation says of them, and what the rules make of that. */
import type { Outcome } from "../lib/rules/evaluate.ts";
import { evaluateRules } from "../lib/rules/evaluate.ts";
import type { RuleSet } from "../lib/rules/rule_set.ts";
import type { Person } from "./demo_people.ts";
import type { Markup } from "./standins/html.ts";
import { html, page } from "./standins/html.ts";

/** Serves the page on 127.0.0.1. */
export function startGuide(port: number, guide: () => Response) {
  return Bun.serve({
    hostname: "127.0.0.1",
    port,
    fetch: (request) =>
      new URL(request.url).pathname === "/" ? guide() : new Response("Not found", { status: 404 }),
  });
}

/** The page. What it promises of each person is what the rules say of their claims. */
export function guidePage(rules: RuleSet, people: readonly Person[], appUrl: string): Response {
  const content = html`
<p>A member begins in Discord. A stand-in plays its part, and a real OpenID Provider that of the organisation.
Choose somebody below, and sign in at the organisation with their name and the password <code>demo</code>.</p>
<p><a class="button" href="${appUrl}">Begin in Discord</a></p>
<h2>Who can sign in</h2>
${people.map((person) => section(rules, person))}
<p><small>The rules are those of <code>example.rules.toml</code>, with its parts <code>[admit]</code>
and <code>[admin]</code>. Anybody may use any account
at Discord: “On Discord since” is the day on which that account was made.</small></p>`;
  return page({ title: "The demo of Janus", standsFor: "an organisation that uses Janus" }, content);
}

/** What the rules read of the person. The claim that names a member is left out: the heading has it. */
function section(rules: RuleSet, person: Person): Markup {
  const { claims = {} } = person;
  const rows = rules.claimsRead
    .filter((name) => claims[name] !== person.login)
    .map((name) => {
      const value = Object.hasOwn(claims, name)
        ? html`<code>${JSON.stringify(claims[name])}</code>`
        : html`<em>not said</em>`;
      return html`<tr><th scope="row"><code>${name}</code></th><td>${value}</td></tr>`;
    });
  return html`<section class="card">
<h3><code>${person.login}</code> <small>${person.about}</small></h3>
<p>${foresee(rules, person)}</p>
<table><tbody>${rows}</tbody></table>
</section>`;
}

/** What happens if this person links, in a sentence for each outcome. Records of the Discord account are left out. */
export function foresee(rules: RuleSet, { claims = {}, sub }: Person): string {
  const verdict = evaluateRules(rules, {
    claims,
    sources: {},
    issuer: "https://provider.example.org",
    subject: sub,
    discord: { id: undefined, username: undefined },
    linkedAt: undefined,
    now: new Date(),
  });
  const { admitted } = verdict;
  if (admitted.outcome !== "value") return "Is not linked: nobody knows whether this account may be.";
  if (!admitted.value) return "Is not linked, and reads why.";
  const known = rules.records.flatMap(({ record, value: rule, type }) => {
    const outcome = verdict.records.find(({ key }) => key === record.key)?.outcome;
    return rule.readsAccount || outcome === undefined ? [] : [`${record.name}: ${inWords(type, outcome)}.`];
  });
  return ["Is linked.", ...known].join(" ");
}

function inWords(type: string, outcome: Outcome<string>): string {
  if (outcome.outcome !== "value") return "not known";
  if (!type.startsWith("boolean")) return outcome.value;
  return outcome.value === "1" ? "yes" : "no";
}
