/** `janus links show`: everything about one link on one page. It changes nothing, and asks nobody but the database. */
import type { Command } from "commander";
import { readAuditConfig, readPlatformName } from "../../config/load.ts";
import { createQueries } from "../../database/queries.ts";
import { notLinked } from "../../errors.ts";
import { readWithRules } from "../../operator/configuration.ts";
import { findMember } from "../../operator/find_member.ts";
import { showLink } from "../../operator/show_link.ts";
import { now } from "../../server/world.ts";
import { toJson } from "../../text/json_text.ts";
import { examples, readCommon, readEnvironmentFor } from "../command.ts";
import { print } from "../output.ts";
import { requireOne } from "../require_one.ts";
import { describeShownLink, shownLinkAsJson } from "../shown_link_view.ts";
import { withStoredDatabase } from "../with_database.ts";

/** Adds the command. */
export function addLinksShow(links: Command): void {
  links
    .command("show")
    .argument("<member>", "a Discord user id, a subject or a username")
    .description(
      "show what is known of one link: records, rules, checks, tokens as facts, and the last events",
    )
    .addHelpText("after", examples("janus links show anna", "janus links show 80351110224678912 --json"))
    .action(async (member: string, _: unknown, command: Command) => {
      const { json } = readCommon(command);
      const environment = await readEnvironmentFor(command);
      const { read, rules } = await readWithRules(environment, () => ({
        config: readAuditConfig(environment),
        platformName: readPlatformName(environment),
      }));
      const shown = await withStoredDatabase(read.config, json, async (db) => {
        const queries = createQueries(db);
        const link = requireOne(member, await findMember({ queries }, member));
        return showLink({ ...read, queries, rules, now }, link);
      });
      if (shown === undefined) throw notLinked();
      await print(json ? toJson(shownLinkAsJson(shown)) : describeShownLink(shown));
    });
}
