/** The Swedish of the commands in Discord. The words are those of the pages, and Discord's own for its permissions. */
import type { Texts } from "./en.ts";

/** The Swedish texts. */
export const sv: Texts = {
  commands: {
    janus: "Din koppling till din organisation",
    janusOfAdmins: "Medlemmars kopplingar till din organisation",
    status: "Visa din egen koppling, bara för dig",
    whois: "Visa en medlems koppling, bara för dig. Medlemmen kan se att en administratör har tittat",
    member: "Medlemmen det gäller",
  },
  linkedSelf: "Ditt Discordkonto är kopplat till ditt konto hos {platform} sedan {other}.",
  linked: "{member} är kopplad till ett konto hos {platform} sedan {other}.",
  unlinkedSelf:
    "Ditt Discordkonto är inte kopplat till något konto hos {platform}. Du kan koppla det här: {url}",
  unlinked: "{member} är inte kopplad till något konto hos {platform}.",
  name: "Namn hos {platform}: {other}",
  records: "Det här vet Discord via {platform}:",
  yes: "ja",
  no: "nej",
  notKnown: "okänt",
  states: {
    told: "Discord har fått den senaste uppdateringen.",
    waiting: "Discord har inte fått den senaste uppdateringen än. Janus försöker igen automatiskt.",
    losing: "Vid någon av de närmaste uppdateringarna tas något av detta tillbaka.",
    cleared: "Discord ger inga roller via {platform} nu.",
    disconnected: "Discord ger inga roller via {platform} nu.",
  },
  sync: {
    check_failing: "Kontot hos {platform} kunde inte kontrolleras senast. Janus försöker igen automatiskt.",
    not_readable:
      "Janus kan inte kontrollera kontot hos {platform} automatiskt. Om något har ändrats hjälper en ny inloggning.",
    grace:
      "Janus har inte längre tillgång till kontot hos {platform}. Rollerna finns kvar till {other}, och längre efter en ny inloggning.",
    ended:
      "Janus har inte haft tillgång till kontot hos {platform} sedan {other}. En ny inloggning ger rollerna tillbaka.",
    gone: "{other} meddelade {platform} Janus att medlemskapet har upphört.",
    held: "Många medlemmar skulle förlora något, och det kan vara ett misstag. Därför tas inget tillbaka just nu.",
    disconnected: "Anslutningen till Janus togs bort i Discords inställningar. Janus märkte det {other}.",
    discord_ended: "Discord har inte låtit Janus uppdatera rollerna sedan {other}. En ny inloggning hjälper.",
    deauthorized:
      "Janus togs bort från de auktoriserade apparna i Discord {other}. En ny inloggning ger rollerna tillbaka.",
  },
  ownPage: "På Min sida finns mer, och allt du kan göra: {url}",
  seen: "Medlemmen kan se att en administratör har tittat.",
  noMember: "{member} är inte medlem på den här servern.",
  notHere:
    "Janus visar inte medlemmars kopplingar på den här servern. Den som driver Janus väljer på vilka servrar det går.",
  notAllowed: "För att se andras kopplingar behöver du behörigheten Hantera server här.",
  slow: "Janus kan inte svara just nu. Försök igen om en minut.",
  repeated: "Janus har redan svarat på det här kommandot. Skicka det igen.",
  unknown:
    "Janus känner inte till det här kommandot. Discord kan visa ett gammalt: ladda om Discord och försök igen.",
};
