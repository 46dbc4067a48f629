/**
 * The bans in force for administrators, and the question before one is lifted.
 *
 * @jsxImportSource preact -- Bun reads tsconfig.json from the folder it is started in, which may be another one.
 */
import type { Ban } from "../operator/bans.ts";
import { printable } from "../text/printable.ts";
import { isSeen } from "../text/shown_name.ts";
import type { AdminContext } from "./admin_parts.tsx";
import { BANS_PATH, banPath, Code, Figures, renderAdminPage, sayWhen } from "./admin_parts.tsx";
import { ArrowLink, say, sayTime } from "./parts.tsx";
import { TEXTS } from "./texts/languages.ts";

/** One page of bans. `next` is the place after its last one; null if there is no next page. */
export function renderBanList(
  context: AdminContext,
  {
    bans,
    next,
    isFirst,
  }: { readonly bans: readonly Ban[]; readonly next: string | null; readonly isFirst: boolean },
): string {
  const { admin: texts } = TEXTS[context.language];
  return renderAdminPage(
    context,
    texts.bansTitle,
    <>
      <p>{bans.length === 0 ? texts.bansNone : texts.bansLead}</p>
      <ul class="rows">
        {bans.map((ban) => (
          <Row key={ban.banId} context={context} ban={ban} />
        ))}
      </ul>
      {next !== null && (
        <ArrowLink href={`${BANS_PATH}?${new URLSearchParams({ after: next })}`}>{texts.listMore}</ArrowLink>
      )}
      {!isFirst && (
        <ArrowLink href={BANS_PATH} quiet>
          {texts.listFirst}
        </ArrowLink>
      )}
    </>,
    BANS_PATH,
  );
}

type Props = { readonly context: AdminContext; readonly ban: Ban };

function Row({ context, ban }: Props) {
  const { admin: texts } = TEXTS[context.language];
  const { banId, bannedAt, reason, operator, expiresAt } = ban;
  return (
    <li class="row">
      <a href={banPath(banId)}>
        <Account context={context} ban={ban} />
      </a>
      <small>
        {sayTime(texts.banSince, context, bannedAt)},{" "}
        {say(texts.byOperator, context, <Code>{operator}</Code>)}
      </small>
      <small>{expiresAt === null ? texts.banNoEnd : sayTime(texts.banUntil, context, expiresAt)}</small>
      {reason !== null && (
        <small>
          <Reason>{reason}</Reason>
        </small>
      )}
    </li>
  );
}

/** One account: at Discord by its id, at a provider by its subject. */
function Account({ context, ban: { discordUserId, issuer, subject } }: Props) {
  const { admin: texts } = TEXTS[context.language];
  if (discordUserId !== null)
    return (
      <>
        {texts.discordId} <Code>{discordUserId}</Code>
      </>
    );
  const account = (
    <>
      <Code>{subject ?? ""}</Code> (<Code>{issuer ?? ""}</Code>)
    </>
  );
  return <>{say(texts.banAccount, context, account)}</>;
}

/** What an operator wrote, on one line. */
function Reason({ children }: { readonly children: string }) {
  const shown = printable(children);
  return <bdi>{isSeen(shown) ? shown : "–"}</bdi>;
}

/** The question before a ban is lifted. */
export function renderLiftQuestion(context: AdminContext, ban: Ban): string {
  const { admin: texts } = TEXTS[context.language];
  const { banId, bannedAt, expiresAt, reason, operator } = ban;
  return renderAdminPage(
    context,
    texts.liftQuestion,
    <>
      <p>
        <Account context={context} ban={ban} />
      </p>
      <Figures
        rows={[
          [texts.bannedAt, sayWhen(context, bannedAt, texts.never)],
          [texts.bannedBy, <Code>{operator}</Code>],
          [texts.banEnd, expiresAt === null ? texts.banNoEnd : sayTime(texts.banUntil, context, expiresAt)],
          [texts.banReason, reason === null ? texts.none : <Reason>{reason}</Reason>],
        ]}
      />
      <p>{texts.liftLead}</p>
      <form class="search" method="post" action={banPath(banId)}>
        <button class="button" type="submit" name="confirm" value="yes">
          {texts.lift}
        </button>
      </form>
      <ArrowLink href={BANS_PATH} quiet>
        {texts.back}
      </ArrowLink>
    </>,
  );
}
