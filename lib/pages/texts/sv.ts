/** The Swedish of every page but the error pages, which are in `sv_errors.ts`. The placeholders are those of `en.ts`. */
import type { Texts } from "./en.ts";
import { errorsSv } from "./sv_errors.ts";

/** The Swedish texts. */
export const sv: Texts = {
  discordLink: "Länka (Link)",
  requestId: "Referens",
  unnamedAccount: "Kontot du loggade in med",
  buttons: {
    linkAccount: "Koppla mina konton",
    backToDiscord: "Tillbaka till Discord",
    tryAgain: "Försök igen",
    startAgain: "Börja om",
    toStart: "Gå till startsidan",
    toAccount: "Gå till Min sida",
    backToAccount: "Tillbaka till Min sida",
    signIn: "Logga in med Discord",
    signOut: "Logga ut",
    move: "Koppla de här kontona",
    leave: "Ändra ingenting",
    sync: "Uppdatera nu",
    unlink: "Ta bort kopplingen",
    confirmUnlink: "Ja, ta bort kopplingen",
    keepLink: "Behåll kopplingen",
    useAnother: "Använd ett annat konto",
    confirmAnother: "Fortsätt",
    export: "Ladda ner mina uppgifter",
    endOthers: "Logga ut på alla andra enheter",
    seeLink: "Redan kopplat? Logga in",
  },
  home: {
    title: "Hämta dina roller på Discord",
    lead: "Koppla ihop ditt Discordkonto med ditt konto hos {platform}, så får du de roller på Discord som du har rätt till.",
  },
  welcome: {
    title: "Välkommen tillbaka",
    signedIn: "Du är inloggad som {other}.",
    linked: "Ditt Discordkonto är kopplat till ditt konto hos {platform}.",
    notLinked: "Ditt Discordkonto är inte kopplat till något konto hos {platform} än.",
  },
  linked: {
    title: "Dina konton är kopplade",
    now: "Ett steg återstår: gå tillbaka till Discord, öppna Länkade roller (Linked Roles) i serverns meny och tryck på {link}. Först då får du rollen.",
    later:
      "Kopplingen är sparad, men Discord kunde inte uppdateras just nu. Janus försöker igen automatiskt. Vänta några minuter. Gå sedan tillbaka till Discord, öppna Länkade roller (Linked Roles) i serverns meny och tryck på {link}.",
    earlierRole:
      "Ditt andra Discordkonto kan ha kvar sin roll ett tag. Om rollen är kvar i morgon kan du ta bort den själv: logga in på Discord med det kontot, öppna Användarinställningar, sedan Auktoriserade appar (Authorized Apps), och välj att återkalla åtkomsten (Deauthorize) för den här appen.",
  },
  cancelled: {
    discordTitle: "Du avbröt inloggningen med Discord",
    lead: "Ingen fara: inget har kopplats eller ändrats. Du kan stänga sidan eller försöka igen när du vill.",
    providerTitle: "Du loggades inte in hos {platform}",
    providerWhy:
      "Antingen avbröt du, eller så släppte {platform} inte in dig. Inget har kopplats eller ändrats.",
    providerNow:
      "Om du avbröt kan du försöka igen när du vill. Annars kan du fråga {platform} varför. Uppge då referensen nedan.",
  },
  conflict: {
    title: "Vill du ändra vilka konton som är kopplade?",
    signedIn: "Du har just loggat in med de här kontona:",
    organisationTaken:
      "Ditt konto hos {platform} är redan kopplat till ett annat Discordkonto, {other}. Om du kopplar de här kontona i stället förlorar det andra Discordkontot de roller som det har fått via {platform}.",
    discordTaken:
      "Ditt Discordkonto är redan kopplat till ett annat konto hos {platform}, {other}. Om du kopplar de här kontona i stället tas den kopplingen bort.",
    discordTakenUnnamed:
      "Ditt Discordkonto är redan kopplat till ett annat konto hos {platform}. Om du kopplar de här kontona i stället tas den kopplingen bort.",
  },
  kept: {
    title: "Inget har ändrats",
    lead: "Dina konton är kopplade som förut. På Min sida ser du vilka konton som är kopplade.",
  },
  signedOut: {
    title: "Du är utloggad",
    lead: "Att du har loggat ut påverkar inte dina roller på Discord.",
  },
  account: {
    title: "Min sida",
    discordSilent: "Discord svarar inte just nu. Sidan visar de senaste uppgifterna som Janus har fått.",
    noAccount: "Inte kopplat",
    linkedSince: "Kontona kopplades den {other}.",
    linkTitle: "Dina kopplade konton",
  },
  notices: {
    synced: "Klart! Discord har uppdaterats.",
    sync_failed:
      "Discord kunde inte uppdateras just nu. Inget har gått förlorat, och Janus försöker igen automatiskt.",
    sync_too_soon: "Du gjorde det här för mindre än en minut sedan. Vänta en minut och försök sedan igen.",
    sessions_ended: "Du är nu utloggad på alla andra enheter.",
  },
  role: {
    title: "Din roll på Discord",
    yes: "ja",
    no: "nej",
    facts: { dsek_member: "Medlem i {platform}: {other}" },
    lastTold: "Senaste uppdatering: {other}",
    nextCheck: "Nästa uppdatering: {other}",
    noCheck: "Ingen ny uppdatering behövs",
    mayStay:
      "Din tidigare koppling är borttagen, men Janus kunde inte uppdatera Discord. Om du har kvar en roll från den kopplingen kan du ta bort den själv: öppna Användarinställningar i Discord, sedan Auktoriserade appar (Authorized Apps), och välj att återkalla åtkomsten (Deauthorize) för den här appen. Du kan också koppla dina konton igen: då ersätts den tidigare kopplingen av den nya.",
    notLinked:
      "Dina konton är inte kopplade. Koppla dem för att få de roller på Discord som du har rätt till.",
    notTold: "Discord känner inte till din koppling än och kan därför inte ge dig rollen.",
    outdated: "Discord har inte fått den senaste uppdateringen än, så uppgifterna ovan kan vara inaktuella.",
    nextTry: "Janus försöker igen den {other}.",
    noTry: "Tryck på {other} för att uppdatera Discord.",
    knows: "Discord har fått den senaste uppdateringen.",
    given:
      "Du får rollen när du trycker på {link} under Länkade roller (Linked Roles) i serverns meny i Discord. Om du redan har gjort det behöver du inte göra något mer.",
    withheld:
      "Du får inga roller som kräver {other} på en rad ovan där det står nej. Om du redan har en sådan roll tas den bort.",
  },
  sessions: {
    title: "Dina uppgifter och enheter",
    onlyThis: "Du är bara inloggad på den här enheten.",
    current: "den här enheten",
    unknownDevice: "Okänd enhet",
    createdAt: "Inloggad: {other}",
    lastUsedAt: "Senast använd: {other}",
  },
  signIn: {
    title: "Logga in på Min sida",
    lead: "Logga in med Discord för att se dina kopplade konton hos Discord och {platform}, ta bort kopplingen eller ladda ner dina uppgifter.",
  },
  unlink: {
    title: "Vill du ta bort kopplingen?",
    lead: "Om du tar bort kopplingen händer det här:",
    ends: [
      "Du förlorar de roller på Discord som du har fått via {platform}.",
      "Janus har inte längre åtkomst till dina konton hos Discord och {platform}.",
      "Janus raderar kopplingen och det som är sparat om ditt konto hos {platform}.",
      "Du loggas ut från Janus på alla enheter.",
    ],
    stays: "Själva kontona hos Discord och {platform} påverkas inte. Du kan koppla dem igen när du vill.",
  },
  unlinked: {
    title: "Dina konton är inte längre kopplade",
    finished:
      "Discord tar bort de roller som du har fått via {platform}. Janus har raderat kopplingen och det som var sparat om ditt konto hos {platform}. Du är utloggad på alla enheter.",
    roleMayStay:
      "Janus har raderat kopplingen och det som var sparat om ditt konto hos {platform}. Du är utloggad på alla enheter. Däremot kunde Janus inte ta bort din roll på Discord. Om du har kvar den kan du ta bort den själv: öppna Användarinställningar i Discord, sedan Auktoriserade appar (Authorized Apps), och välj att återkalla åtkomsten (Deauthorize) för den här appen. Du kan också be {platform} att ta bort den.",
    pending:
      "Janus har tagit bort din koppling och loggat ut dig, men Discord kunde inte uppdateras just nu. Du har kvar dina roller tills Janus har kunnat uppdatera Discord. Janus fortsätter att försöka. Om du har kvar en roll i morgon kan du ta bort den själv: öppna Användarinställningar i Discord, sedan Auktoriserade appar (Authorized Apps), och välj att återkalla åtkomsten (Deauthorize) för den här appen.",
    again: "Du kan koppla dina konton igen när du vill.",
  },
  another: {
    title: "Använd ett annat konto",
    lead: "Du loggar in hos Discord och {platform} igen och väljer vilka konton du vill koppla.",
    atDiscord: "Om du vill använda ett annat Discordkonto trycker du på {other} på Discords sida.",
    notYou: "Inte du? (Not you?)",
    atProvider:
      "Om du vill använda ett annat konto hos {platform} loggar du in med det när {platform} ber dig logga in.",
    asksFirst:
      "Om något av kontona redan är kopplat till ett annat konto frågar Janus dig innan något ändras.",
  },
  errors: errorsSv,
};
