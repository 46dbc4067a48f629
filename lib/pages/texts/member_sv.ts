/**
 * What the member's account pages say, in Swedish. Called by `account.tsx` alone; the shape and the placeholders are
 * those of `account_en.ts`.
 */
import type { AccountTexts } from "./member_en.ts";

/** The Swedish texts. */
export const accountSv: AccountTexts = {
  buttons: {
    sync: "Uppdatera nu",
    unlink: "Ta bort kopplingen",
    useAnother: "Använd ett annat konto",
    export: "Ladda ner mina uppgifter",
    logOut: "Logga ut",
    endOthers: "Avsluta alla andra inloggningar",
    back: "Tillbaka till mitt konto",
    confirmUnlink: "Ta bort min koppling",
    keepLink: "Behåll kopplingen",
    confirmAnother: "Gå vidare och välj",
  },
  account: {
    title: "Ditt konto här",
    discordSilent: "Discord svarar inte just nu. Det som står här är vad Discord senast sa.",
    noAccount: "Inget konto är kopplat",
    linkedSince: "Kopplade sedan {other}.",
  },
  notices: {
    synced: "Klart: Discord har just fått veta hur det ligger till.",
    sync_failed:
      "Discord tog inte emot uppdateringen just nu. Inget har gått förlorat och Janus försöker igen av sig självt.",
    sync_too_soon: "Det gjordes för mindre än en minut sedan. Vänta en minut och försök sedan igen.",
    sessions_ended: "Alla dina andra inloggningar är avslutade.",
  },
  role: {
    title: "Din roll på Discord",
    yes: "ja",
    no: "nej",
    facts: { dsek_member: "Du är registrerad som medlem hos {platform}: {other}" },
    lastTold: "Discord uppdaterades senast: {other}",
    nextCheck: "Nästa kontroll: {other}",
    noCheck: "Nästa kontroll: ingen är planerad",
    mayStay:
      "En tidigare koppling har upphört, men Janus kunde inte berätta det för Discord. Om du har kvar en roll från den kopplingen kan du ta bort den själv: öppna Användarinställningar i Discord, sedan Auktoriserade appar (Authorized Apps), och återkalla appens åtkomst. Eller koppla dina konton igen: då kan Janus ta bort den gamla rollen.",
    notLinked: "Dina konton är inte kopplade, så Discord ger dig ingen roll genom {platform}.",
    notTold: "Discord har inte fått veta något om dig än och ger dig därför ingen roll.",
    outdated:
      "Discord har inte tagit emot den senaste uppdateringen än: ovan står det som Discord visste innan.",
    nextTry: "Janus försöker av sig självt: {other}.",
    noTry: "Tryck på {other} för att berätta det nu.",
    knows: "Discord vet om detta.",
    given:
      "Du får rollen när du trycker på {link} under Länkade roller (Linked Roles) i Discord. Om du redan har gjort det behöver du inte göra något mer.",
    withheld: "En roll som kräver det som har svaret nej ges inte, eller tas bort igen.",
  },
  link: { title: "Din koppling" },
  sessions: {
    title: "Dina uppgifter och inloggningar",
    onlyThis: "Du är bara inloggad på den här enheten.",
    current: "den här",
    unknownDevice: "Okänd enhet",
    createdAt: "Inloggad: {other}",
    lastUsedAt: "Senast använd: {other}",
  },
  signIn: {
    title: "Se vad som är kopplat till dig",
    lead: "Logga in med Discord för att se din koppling till {platform}, ladda ner det som Janus har sparat om dig eller ta bort kopplingen.",
  },
  unlink: {
    title: "Vill du ta bort kopplingen mellan dina konton?",
    lead: "Om du tar bort kopplingen mellan de här kontona:",
    ends: [
      "förlorar du de roller som du har på Discord genom {platform}",
      "får Janus inte längre agera för dig hos Discord eller hos {platform}",
      "raderas det som Janus har sparat för kopplingen och det som {platform} har berättat om dig",
      "loggas du ut här, på alla enheter",
    ],
    stays:
      "Dina konton hos Discord och {platform} finns kvar som de är, och du kan koppla dem igen när du vill.",
  },
  unlinked: {
    title: "Dina konton är inte längre kopplade",
    finished:
      "Discord har fått veta det och tar bort de roller som du hade genom {platform}. Janus har raderat kopplingen och det som sparats om ditt konto där, och du är utloggad.",
    roleMayStay:
      "Janus har raderat kopplingen och det som sparats om ditt konto hos {platform}, och du är utloggad. Janus kunde inte ta tillbaka din roll i Discord. Om du har kvar den kan du ta bort den själv: öppna Användarinställningar i Discord, sedan Auktoriserade appar (Authorized Apps), och återkalla appens åtkomst. Eller be {platform} att ta bort den.",
    pending:
      "Janus har tagit bort din koppling och loggat ut dig. Discord svarade inte just nu, så du behåller dina roller för tillfället. Janus försöker igen av sig självt, och Discord tar bort rollerna när det svarar. Om du har kvar en roll i morgon, öppna Användarinställningar i Discord, sedan Auktoriserade appar (Authorized Apps), och återkalla appens åtkomst.",
    again: "Du kan koppla dina konton igen när du vill.",
  },
  another: {
    title: "Använd ett annat konto",
    lead: "Du loggar in på båda sidorna en gång till och väljer vilka konton som ska kopplas.",
    atDiscord: "För att använda ett annat Discordkonto trycker du på {other} på Discords sida.",
    notYou: "Inte du? (Not you?)",
    atProvider:
      "För att använda ett annat konto hos {platform} loggar du in med det: {platform} frågar dig på nytt.",
    asksFirst: "Om något av kontona redan är kopplat frågar Janus dig innan en koppling flyttas.",
  },
};
