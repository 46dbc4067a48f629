/**
 * The questions before an administrator changes something of one member. A form makes the change.
 *
 * @jsxImportSource preact -- Bun reads tsconfig.json from the folder it is started in, which may be another one.
 */
import type { AdminContext } from "./admin_parts.tsx";
import { memberPath, renderAdminPage } from "./admin_parts.tsx";
import { Icon } from "./icons.tsx";
import type { Pair } from "./parts.tsx";
import { Accounts, ArrowLink } from "./parts.tsx";
import { TEXTS } from "./texts/languages.ts";

/** What asks before it is done. */
export const ADMIN_ACTIONS = ["sessions", "unlink", "ban"] as const;
/** One of `ADMIN_ACTIONS`. */
export type AdminAction = (typeof ADMIN_ACTIONS)[number];
/** For how long a ban lasts. */
export const BAN_ENDS = ["never", "week", "month", "year"] as const;

/** The question before a change. It names both accounts. */
export function renderAdminQuestion(
  context: AdminContext,
  action: AdminAction,
  page: Pair & { readonly discordUserId: string },
): string {
  const { admin: texts } = TEXTS[context.language];
  const { title, lead, button } = {
    sessions: { title: texts.sessionsQuestion, lead: texts.sessionsLead, button: texts.endSessions },
    unlink: { title: texts.unlinkQuestion, lead: texts.unlinkLead, button: texts.unlink },
    ban: { title: texts.banQuestion, lead: texts.banLead, button: texts.ban },
  }[action];
  return renderAdminPage(
    context,
    title,
    <>
      <Accounts context={context} pair={page} />
      <p>{lead}</p>
      <form class="search" method="post" action={memberPath(page.discordUserId, action)}>
        {action === "ban" && (
          <label>
            {texts.banEnd}
            <select class="field" name="end">
              {BAN_ENDS.map((end) => (
                <option key={end} value={end}>
                  {texts.banEnds[end]}
                </option>
              ))}
            </select>
          </label>
        )}
        {action !== "sessions" && (
          <label>
            {action === "ban" ? texts.reason : texts.unlinkReason}
            <input class="field" name="reason" maxLength={500} autocomplete="off" />
          </label>
        )}
        <button
          class={action === "sessions" ? "button" : "button danger"}
          type="submit"
          name="confirm"
          value="yes"
        >
          {action !== "sessions" && <Icon name="unlink" />}
          {button}
        </button>
      </form>
      <ArrowLink href={memberPath(page.discordUserId)} quiet>
        {texts.back}
      </ArrowLink>
    </>,
  );
}
