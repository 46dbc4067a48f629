/** The Swedish of every page. The placeholders are those of `en.ts`. */
import type { ErrorText, Texts } from "./en.ts";

const AGAIN = "Om det händer igen kan du kontakta {contact}. Uppge då referensen nedan.";
const LATER = "Försök igen om en minut.";
const FROM_START = "Gå till startsidan och försök igen därifrån.";
const NOTHING_LOST = "Inget har gått förlorat.";
const NO_USABLE_REPLY = `Janus försökte få kontakt men fick inget användbart svar. ${NOTHING_LOST}`;
const MAYBE_LINKED = "Dina konton kanske redan är kopplade. Gå till Min sida och kontrollera.";

const PROVIDER_FAULT: ErrorText = {
  title: "Inloggningen hos {platform} är felkonfigurerad",
  why: "Det beror inte på dig, och inget har ändrats.",
  now: "Kontakta {contact} och uppge referensen nedan. Det hjälper inte att försöka igen förrän felet är åtgärdat.",
};

/** The Swedish texts. */
export const sv: Texts = {
  locale: "sv-SE",
  discordLink: "Länka (Link)",
  requestId: "Referens",
  unnamedAccount: "Kontot du loggade in med",
  buttons: {
    linkAccount: "Koppla mina konton",
    backToDiscord: "Tillbaka till Discord",
    openDiscordApp: "Öppna Discordappen",
    tryAgain: "Försök igen",
    startAgain: "Börja om",
    toStart: "Gå till startsidan",
    toAccount: "Gå till Min sida",
    backToAccount: "Tillbaka till Min sida",
    signIn: "Logga in med Discord",
    signInAgain: "Logga in igen",
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
    stores: "Janus sparar namn och id för båda kontona tills du tar bort kopplingen.",
    more: "Det här sparar Janus",
  },
  welcome: {
    title: "Välkommen tillbaka",
    signedIn: "Du är inloggad som {other}.",
    linked: "Ditt Discordkonto är kopplat till ditt konto hos {platform}.",
    notLinked: "Ditt Discordkonto är inte kopplat till något konto hos {platform} än.",
  },
  linked: {
    title: "Dina konton är kopplade",
    now: "Ett steg återstår: hämta din roll i Discord.",
    again: "Allt är i sin ordning. Om du inte har din roll än kan du hämta den i Discord:",
    later:
      "Kopplingen är sparad, men Discord kunde inte uppdateras just nu. Janus försöker igen automatiskt. Vänta några minuter. Hämta sedan din roll i Discord.",
    nothingKnown:
      "Kopplingen är sparad, men {platform} lämnade inte de uppgifter som dina roller beror på. Discord kan inte ge dig någon roll än. Försök igen senare. Om det händer igen kan du kontakta {contact}.",
    onComputer:
      "På dator: öppna servern, klicka på dess namn högst upp till vänster och välj Länkade roller (Linked Roles).",
    onPhone: "På mobil: öppna servern, tryck på dess namn högst upp och välj Länkade roller (Linked Roles).",
    last: "Välj sedan din roll och tryck på {link}. Först då får du rollen.",
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
      "Om du avbröt kan du försöka igen när du vill. Annars kan du fråga {contact} varför. Uppge då referensen nedan.",
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
  notAdmitted: {
    refusedTitle: "Det här kontot hos {platform} kan inte kopplas",
    says: "{platform} bestämmer vilka konton som får kopplas:",
    nothingLinked:
      "Inget har kopplats, och Discord har inte fått veta något. Janus sparar inte den åtkomst som du just gav.",
    refusedNow:
      "Om du har ett annat konto hos {platform} kan du använda det. Om du tror att något har blivit fel kan du kontakta {contact}. Uppge då referensen nedan.",
    unknownTitle: "Det är oklart om du får koppla ditt konto hos {platform}",
    unknownWhy:
      "{platform} bestämmer vilka konton som får kopplas, men svaret därifrån innehöll inte det som Janus behöver veta. Det beror inte på dig.",
    unknownNow: `Försök igen senare. ${AGAIN}`,
  },
  cleared: {
    title: "Du får inte längre några roller via {platform}",
    told: "Dina konton är fortfarande kopplade, men Discord tar bort de roller som du har fått via {platform}.",
    later:
      "Dina konton är fortfarande kopplade. Discord kunde inte uppdateras just nu. Janus försöker igen automatiskt. Då tar Discord bort de roller som du har fått via {platform}.",
  },
  kept: {
    title: "Inget har ändrats",
    lead: "Kopplingen är densamma som förut. Du ser den på Min sida.",
  },
  signedOut: {
    title: "Du är utloggad",
    lead: "Dina roller på Discord påverkas inte av det.",
  },
  account: {
    title: "Min sida",
    discordSilent: "Discord svarar inte just nu. Sidan visar de senaste uppgifterna som Janus har fått.",
    noAccount: "Inte kopplat",
    linkedSince: "Kontona kopplades den {other}.",
    linkTitle: "Dina kopplade konton",
  },
  notices: {
    synced: "Klart! Discord har dina senaste uppgifter.",
    sync_changed: "Klart! Dina uppgifter har ändrats, och Discord har uppdaterats.",
    sync_held:
      "Du och många andra medlemmar skulle förlora roller. Det kan vara ett misstag, så dina roller är kvar tills vidare. Du behöver inte göra något.",
    sync_provider_silent:
      "{platform} svarade inte, så Janus kunde inte kontrollera ditt konto. Janus försöker igen automatiskt.",
    sync_not_readable:
      "Janus kunde inte kontrollera ditt konto hos {platform}. Logga in igen om något har ändrats där.",
    sync_sign_in: "Janus har inte längre åtkomst till ditt konto. Logga in igen för att behålla dina roller.",
    sync_failed:
      "Discord kunde inte uppdateras just nu. Inget har gått förlorat, och Janus försöker igen automatiskt.",
    sync_too_soon: "Du gjorde det här för mindre än en minut sedan. Vänta en minut och försök sedan igen.",
    session_ended: "Du är nu utloggad på den enheten.",
    sessions_ended: "Du är nu utloggad på alla andra enheter.",
  },
  role: {
    title: "Din roll på Discord",
    yes: "ja",
    no: "nej",
    knownThrough: "Det här vet Discord om dig via {platform}:",
    notKnown: "okänt",
    notSent: "inte skickat än",
    silent: "{platform} lämnade ingen uppgift.",
    silentKept: "{platform} lämnade ingen uppgift senast, så Discord behåller den tidigare.",
    unclear: "Janus kunde inte använda uppgiften från {platform}.",
    unclearKept:
      "Janus kunde inte använda den nya uppgiften från {platform}, så Discord behåller den tidigare.",
    change: "Efter nästa uppdatering: {other}",
    changed: "Något har ändrats sedan den senaste uppdateringen.",
    lost: "Du har inga roller via {platform} sedan den {other}.",
    cleared:
      "Du har inga roller via {platform} sedan den {other}, eftersom ditt konto där inte längre uppfyller kraven.",
    clearedNow:
      "Om det har ändrats kan du logga in igen. Du kan också använda ett annat konto hos {platform} eller fråga {contact}.",
    refused:
      "Ditt konto hos {platform} uppfyller inte längre kraven. Vid nästa uppdatering förlorar du de roller som du har fått via det.",
    readmitted:
      "Ditt konto hos {platform} uppfyller kraven igen. Efter nästa uppdatering kan du få dina roller igen.",
    admissionUnknown:
      "{platform} har inte meddelat om dina konton får vara kopplade. Inget ändras förrän ett besked kommer.",
    lastTold: "Discord uppdaterades senast: {other}",
    removed: "Roller togs bort: {other}",
    nextUpdate: "Nästa uppdatering: {other}",
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
      "Där det står nej ovan får du inga roller som kräver {other}. Om du redan har en sådan roll tas den bort.",
    compares:
      "Serverns administratörer bestämmer vad varje roll kräver. Om uppgifterna ovan uppfyller kraven får du rollen när du trycker på {link} under Länkade roller (Linked Roles) i serverns meny i Discord. Om något inte uppfyller kraven eller är okänt får du inte rollen. Om du redan har den tas den bort.",
  },
  checks: {
    last: "Kontot kontrollerades senast: {other}",
    next: "Nästa kontroll: {other}",
    failing:
      "{platform} svarade inte när Janus senast försökte kontrollera ditt konto. Inget ändras för dig, och Janus försöker igen automatiskt.",
    failingHere:
      "Janus kunde inte kontrollera ditt konto hos {platform} senast. Janus försöker igen automatiskt. Om du fortfarande ser det här i morgon kan du logga in igen.",
    notReadable:
      "Janus kan inte kontrollera ditt konto hos {platform} automatiskt. Om något har ändrats där kan du logga in igen.",
    noAccess: "Janus har inte haft åtkomst till ditt konto hos {platform} sedan den {other}.",
    graceUntil: "Du har kvar dina roller till den {other}. Logga in igen om du vill behålla dem efter det.",
    graceOver: "Logga in igen om du vill behålla dina roller. Annars tar Discord snart bort dem.",
    ended:
      "Du har inga roller via {platform} sedan den {other}, eftersom Janus inte längre har åtkomst till ditt konto där.",
    endedNow: "Dina konton är fortfarande kopplade. Logga in igen för att få tillbaka dina roller.",
    gone: "Den {other} meddelade {platform} Janus att ditt medlemskap har upphört.",
    goneSoon:
      "Discord tar snart bort dina roller. Logga in igen om det här är fel. Om det inte hjälper kontaktar du {platform}.",
    goneNow:
      "Du har inga roller via {platform}. Dina konton är fortfarande kopplade. Om du fortfarande är medlem kan du logga in igen för att få tillbaka dina roller. Om det inte hjälper kontaktar du {platform}.",
    held: "Den {other} såg Janus att du och många andra medlemmar skulle förlora roller. Det kan vara ett misstag, så dina roller är kvar tills vidare. Du behöver inte göra något.",
    disconnected:
      "Du har inga roller via {platform}, eftersom anslutningen till Janus har tagits bort i dina inställningar i Discord. Janus märkte det den {other}.",
    discordEnded: "Discord har inte låtit Janus uppdatera dina roller sedan {other}.",
    discordEndedNow: "Logga in igen för att hålla dina roller aktuella.",
    deauthorized:
      "Du har inga roller via {platform}, eftersom du tog bort Janus bland dina auktoriserade appar i Discord den {other}.",
    deauthorizedNow: "Om du vill ha tillbaka dina roller loggar du in igen.",
    disconnectedNow: "Om du vill ha tillbaka dina roller trycker du på {other}.",
  },
  told: {
    title: "Senaste händelser",
    deauthorized: "{other}: Du tog bort Janus i Discord.",
    membership_ended: "{other}: {platform} meddelade Janus att ditt medlemskap har upphört.",
    membership_restored: "{other}: {platform} meddelade Janus att du är medlem igen.",
    provider_logout: "{other}: {platform} loggade ut dig, så Janus loggade också ut dig.",
    recheck_asked:
      "{other}: {platform} meddelade Janus att ditt konto har ändrats, så Janus kontrollerar det igen.",
  },
  handled: {
    title: "Vad administratörer har gjort",
    looked_at: "{other}: En administratör tittade på din koppling.",
    ban_looked_at: "{other}: En administratör tittade på en spärr som gäller dig.",
    sync_asked: "{other}: En administratör lät Janus kontrollera ditt konto.",
    sessions_purged: "{other}: En administratör loggade ut dig.",
    unlinked: "{other}: En administratör tog bort din koppling.",
    imported: "{other}: En administratör importerade din koppling.",
    adopted: "{other}: En administratör tog över din koppling från ett annat program.",
    banned: "{other}: En administratör spärrade dig från att koppla konton.",
    ban_lifted: "{other}: En administratör hävde en spärr som gällde dig.",
  },
  admin: {
    title: "Administrera",
    signInTitle: "Logga in som administratör",
    signInLead:
      "Den här sidan är för administratörer hos {platform}. Logga in hos {platform} för att använda den. Inloggningen gäller i en timme.",
    signInButton: "Logga in hos {platform}",
    refusedTitle: "Du kan inte använda den här sidan",
    refusedWhy: "Enligt {platform} är ditt konto inte en administratörs.",
    refusedNow:
      "Kontakta {contact} om du tror att det är fel. Logga in igen om dina rättigheter nyss har ändrats.",
    signedInAs: "Inloggad som {other}",
    until: "till {other}",
    overview: "Översikt",
    members: "Medlemmar",
    member: "Medlem",
    signOut: "Logga ut",
    noLinkTitle: "Medlemmen har ingen koppling",
    noLink:
      "Det finns ingen koppling för det här Discordkontot. Medlemmen eller någon annan kan ha tagit bort den.",
    search: "En del av ett namn eller id",
    searchButton: "Sök",
    state: "Läge",
    anyState: "Alla lägen",
    onlyFailing: "Bara kopplingar vars senaste kontroll eller uppdatering misslyckades",
    onlyCode: "Bara kopplingar vars senaste kontroll eller uppdatering misslyckades med {other}",
    states: {
      told: "aktuell",
      waiting: "väntar på Discord",
      losing: "är på väg att förlora något",
      disconnected: "borttagen i Discord av medlemmen",
      cleared: "utan roller",
    },
    linksTitle: "Kopplingar",
    all: "alla",
    attentionTitle: "Behöver åtgärdas",
    nothing: "Ingenting behöver åtgärdas.",
    attention: {
      check_overdue: "Kontroller som är mer än en timme försenade",
      push_overdue: "Uppdateringar som Discord har väntat på i mer än en timme",
      loss_overdue: "Borttagna roller som Discord inte har fått veta om på mer än en timme",
      losses_held: "Roller som behålls eftersom många medlemmar skulle förlora något",
      key_missing: "Nycklar som saknas i TOKEN_KEYS",
      backup_old: "Den senaste säkerhetskopian är mer än 8 dagar gammal",
    },
    weekTitle: "De senaste 7 dagarna",
    week: {
      begun: "Medlemmar som kom tillbaka från Discord",
      finished: "Medlemmar som kopplade sina konton eller förnyade kopplingen",
      notAdmitted: "Medlemmar som reglerna inte släppte in",
      unlinked: "Kopplingar som upphörde",
      signedIn: "Inloggningar på kontosidan",
      pushed: "Uppdateringar som Discord tog emot",
      cleared: "Rollkopplingar som rensades",
      pushesFailed: "Uppdateringar som misslyckades",
      discordGrantsEnded: "Kopplingar vars åtkomst till Discord upphörde",
      providerGrantsEnded: "Kopplingar vars åtkomst till {platform} upphörde",
    },
    syncTitle: "Uppdateringar",
    checksDue: "Kontroller som ska göras",
    pushesDue: "Uppdateringar som ska göras",
    oldest: "den äldsta sedan {other}",
    stopped: "Janus frågar inte den här servern förrän {other}",
    brakeTitle: "Ändringar som hålls tillbaka",
    brakeFree: "Inga ändringar hålls tillbaka.",
    brakeHeld:
      "Sedan {other} väntar Janus med ändringar som gör att medlemmar förlorar roller, eftersom de är ovanligt många.",
    brakeWaiting: "Kopplingar som skulle förlora något",
    brakeQuestion: "Släppa igenom ändringarna?",
    brakeLead:
      "Discord får veta inom en minut, och de här medlemmarna förlorar roller. Kontrollera först att {platform} verkligen säger så: titta på några av medlemmarna.",
    brakeButton: "Släpp igenom",
    failingTitle: "Misslyckade kontroller och uppdateringar per kod",
    failingNone: "Ingen kontroll eller uppdatering har misslyckats.",
    listTitle: "Medlemmar",
    listNone: "Inga kopplingar hittades.",
    listMore: "Nästa sida",
    listFirst: "Första sidan",
    listPart: "Det kan finnas fler. Sökningen fortsätter på nästa sida.",
    name: "Namn hos {platform}",
    subject: "Id hos {platform}",
    discordId: "Discord-id",
    linkedAt: "Kopplad",
    checkedAt: "Senaste kontroll",
    nextCheck: "Nästa kontroll",
    pushedAt: "Senaste uppdatering hos Discord",
    nextPush: "Nästa uppdatering",
    failures: "Misslyckanden i rad",
    never: "aldrig",
    none: "ingen",
    sessions: "Inloggningar på kontosidan",
    roleLeft: "Kan ha kvar en roll sedan",
    tokens: "Åtkomst",
    tokenUntil: "går ut {other}",
    tokenEnded: "upphörde {other}",
    tokenRefresh: "förnyas automatiskt",
    tokenNoRefresh: "förnyas inte automatiskt",
    whyTitle: "Roller, och varför",
    admitted: "Får koppla",
    username: "Namn på Discord",
    discordHas: "Discord har: {other}",
    rulesSay: "Reglerna säger: {other}",
    unknown: "okänt, eftersom {other} saknas",
    error: "ett fel: {other}",
    noRule: "ingen regel längre",
    yes: "ja",
    no: "nej",
    trailTitle: "Senaste händelser",
    byOperator: "av {other}",
    changeTitle: "Ändra",
    sync: "Kontrollera och uppdatera nu",
    endSessions: "Logga ut medlemmen",
    unlink: "Ta bort kopplingen",
    ban: "Spärra",
    back: "Tillbaka",
    sessionsQuestion: "Logga ut medlemmen överallt?",
    sessionsLead: "Kopplingen och rollerna finns kvar.",
    unlinkQuestion: "Ta bort kopplingen?",
    unlinkLead: "Medlemmen förlorar rollerna som beror på den och loggas ut. Medlemmen kan koppla igen.",
    banQuestion: "Spärra medlemmen?",
    banLead:
      "Inget av kontona kan kopplas förrän spärren upphör. Kopplingen upphör nu, och med den rollerna, och medlemmen loggas ut.",
    reason: "Skäl, bara för administratörer (valfritt)",
    unlinkReason: "Skäl, som medlemmen kan läsa bland sina uppgifter (valfritt)",
    banEnd: "Hur länge",
    banEnds: { never: "tills den hävs", week: "en vecka", month: "30 dagar", year: "ett år" },
    bansTitle: "Spärrar",
    bansNone: "Ingen är spärrad.",
    bansLead: "De här kontona kan inte kopplas. Öppna ett för att häva spärren.",
    banAccount: "Kontot {other}",
    banSince: "sedan {other}",
    banUntil: "till {other}",
    banNoEnd: "tills den hävs",
    bannedAt: "Spärrad",
    bannedBy: "Av",
    banReason: "Skäl",
    lift: "Häv spärren",
    liftQuestion: "Häva spärren?",
    liftLead:
      "Kontot kan sedan kopplas igen. Ingenting kopplas av sig självt: medlemmen följer länken en gång till. Om medlemmens andra konto också är spärrat finns den spärren kvar.",
    visible:
      "Varje gång du tittar på en medlem och varje ändring sparas med ditt namn. Medlemmen ser att det har hänt, och när.",
    notices: {
      synced: "Klart. Ingenting hade ändrats.",
      sync_changed: "Klart. Något hade ändrats, och Discord har uppdaterats.",
      sync_held: "Många medlemmar skulle förlora roller, så den här får behålla dem tills vidare.",
      sync_provider_silent: "{platform} svarade inte. Janus försöker igen automatiskt.",
      sync_not_readable:
        "Kontot hos {platform} kunde inte kontrolleras. Bara en ny inloggning av medlemmen hjälper.",
      sync_sign_in: "Janus har inte längre tillgång till kontot. Bara en ny inloggning av medlemmen hjälper.",
      sync_failed: "Discord kunde inte uppdateras just nu. Janus försöker igen automatiskt.",
      sync_too_soon: "Det här gjordes för mindre än en minut sedan. Vänta en minut och försök igen.",
      unlinked: "Kopplingen har tagits bort.",
      unlinked_later: "Kopplingen har tagits bort. Discord får veta så snart det svarar.",
      unlinked_role: "Kopplingen har tagits bort. Discord tog inte bort rollen: ta bort den för hand.",
      banned: "Spärren gäller.",
      banned_later: "Spärren gäller. Discord får veta så snart det svarar.",
      banned_role: "Spärren gäller. Discord tog inte bort rollen: ta bort den för hand.",
      ban_lifted: "Spärren har hävts.",
      ban_over: "Den här spärren gäller inte längre.",
      sessions_ended: "Medlemmen är utloggad.",
      released: "Ändringarna har släppts igenom. Discord får veta inom en minut.",
      reason_refused: "Ingenting har ändrats: skälet har över 500 tecken, eller tecken som inte syns.",
    },
  },
  sessions: {
    title: "Dina uppgifter och enheter",
    onlyThis: "Du är bara inloggad på den här enheten.",
    current: "den här enheten",
    unknownDevice: "Okänd enhet",
    browser: "{browser} på {system}",
    end: "Logga ut från {browser}",
    endUnknown: "Logga ut från den okända enheten",
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
      "Janus har raderat kopplingen och det som var sparat om ditt konto hos {platform}. Du är utloggad på alla enheter. Däremot kunde Janus inte ta bort din roll på Discord. Om du har kvar den kan du ta bort den själv: öppna Användarinställningar i Discord, sedan Auktoriserade appar (Authorized Apps), och välj att återkalla åtkomsten (Deauthorize) för den här appen. Du kan också be {contact} att ta bort den.",
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
  export: {
    about: [
      "Den här filen innehåller allt som Janus har sparat om dig.",
      "{platform} ansvarar för uppgifterna. Om du har frågor om dem kan du kontakta {platform}.",
      'Där det står "present" har Janus sparat en hemlighet, till exempel åtkomsten till ditt Discordkonto. Själva hemligheten är utelämnad för din säkerhet. "absent" betyder att Janus inte har någon sådan hemlighet.',
      "Alla tider är i UTC.",
    ],
  },
  about: {
    title: "Om Janus",
    lead: "Janus kopplar ihop ditt Discordkonto med ditt konto hos {platform} och meddelar Discord det som dina roller beror på, till exempel om du är medlem. Tjänsten drivs av {platform}.",
    never: "Janus får aldrig se dina lösenord och kan inte läsa dina meddelanden på Discord.",
    storesTitle: "Det här sparar Janus",
    stores: [
      "Ditt Discordkonto: id, användarnamn och visningsnamn.",
      "Ditt konto hos {platform}: id, användarnamn och namn, och det som dina roller beror på, till exempel grupper.",
      "När du kopplade kontona, och vad Janus har meddelat Discord om dig.",
      "Den åtkomst till kontona som du har gett Janus. Den är krypterad.",
      "Var du är inloggad: vilken sorts webbläsare du använder, och när du har använt den.",
      "En historik: när kontona har kopplats och uppdaterats, när kopplingen har tagits bort och när kontona inte fick kopplas, med id för båda kontona och vad som ändrades på Discord. Där står också när en administratör har tittat på din koppling eller ändrat den.",
    ],
    log: "Servern har också en logg för felsökning. Ditt Discord-id kan finnas i den, men inte ditt namn. Den innehåller en IP-adress bara om för många förfrågningar kommer därifrån, eller om adressen skickar vidare förfrågningar åt andra.",
    keepsTitle: "Så länge sparas det",
    keeps: [
      "Kopplingen och det som är sparat om båda kontona: tills du tar bort kopplingen.",
      "En inloggning: tills du loggar ut, men högst 30 dagar. Om du inte använder den går den ut efter 7 dagar. Om dina konton inte är kopplade raderas det som är sparat om ditt Discordkonto tillsammans med din sista inloggning.",
      "En koppling som du har påbörjat men inte slutfört: ungefär en timme.",
      "En roll som Janus inte kunde ta bort när kopplingen togs bort: ditt Discord-id i upp till 400 dagar, så att rollen kan tas bort senare.",
      "Historiken: så länge kontona är kopplade. Därefter raderar Janus det som är äldre än {other} dagar.",
      "Loggen och säkerhetskopior: {platform} bestämmer hur länge de sparas.",
    ],
    deleteTitle: "Så får du uppgifterna raderade",
    unlink:
      "Ta bort kopplingen. Då raderar Janus den, det som är sparat om ditt konto hos {platform} och dina inloggningar. Det som är sparat om ditt Discordkonto raderas så snart Discord har fått veta att kopplingen är borta.",
    ask: "Om du inte kan logga in, eller har frågor om resten, kan du fråga {contact}.",
    policy: "{other} berättar mer om hur {platform} hanterar dina uppgifter.",
    policyName: "Integritetspolicyn",
  },
  footer: {
    runBy: "Janus drivs av {platform}.",
    about: "Om Janus",
    privacy: "Integritetspolicy",
    support: "Kontakta {platform}",
  },
  errors: {
    callback_malformed: {
      title: "Sidans adress är ofullständig",
      why: "Något som Discord eller {platform} lade till i adressen saknas eller har ändrats.",
      now: "Börja om från början.",
    },
    authorization_rejected: {
      title: "Inloggningen nekades",
      why: "Discord eller {platform} lät dig inte logga in här.",
      now: `Börja om. ${AGAIN}`,
    },
    code_rejected: {
      title: "Inloggningen kunde inte slutföras",
      why: "Den tog för lång tid, eller så laddades sidan två gånger.",
      now: `${MAYBE_LINKED} Om de inte är kopplade kan du börja om.`,
    },
    scope_missing: {
      title: "En behörighet saknas",
      why: "Discord gav inte Janus alla behörigheter som behövs.",
      now: "Börja om och godkänn alla behörigheter som Discord visar.",
    },
    unauthenticated: {
      title: "Du är inte inloggad",
      why: "Du måste logga in först. Om du var inloggad tidigare har du blivit utloggad.",
      now: "Logga in med Discord för att fortsätta.",
    },
    state_mismatch: {
      title: "Janus känner inte igen inloggningen",
      why: "Det kan hända om du laddar om en sida, byter webbläsare eller blockerar kakor.",
      now: `${MAYBE_LINKED} Om de inte är kopplade kan du börja om i den här webbläsaren. Tillåt då kakor.`,
    },
    flow_expired: {
      title: "Inloggningen tog för lång tid",
      why: "För din säkerhet går en påbörjad inloggning ut efter en kort stund.",
      now: `${MAYBE_LINKED} Om de inte är kopplade kan du börja om.`,
    },
    flow_finished: {
      title: "Inloggningen är redan klar",
      why: "Du kanske laddade om sidan, öppnade den igen eller tryckte på en knapp två gånger.",
      now: `${MAYBE_LINKED} Om de inte är kopplade kan du börja om.`,
    },
    issuer_mismatch: {
      title: "Svaret kom från ett oväntat håll",
      why: "Janus kunde inte bekräfta vem som hade skickat det och avbröt för din säkerhet.",
      now: `Börja om. ${AGAIN}`,
    },
    origin_refused: {
      title: "Förfrågan godtogs inte",
      why: "För din säkerhet tar Janus bara emot förfrågningar från sina egna sidor. Inget har ändrats.",
      now: `${FROM_START} Om det händer igen kan du prova en annan webbläsare.`,
    },
    prefetch_refused: {
      title: "Din webbläsare öppnade sidan i förväg",
      why: "Webbläsare gör så för att spara tid, men Janus väntar tills du själv öppnar sidan. Inget har ändrats.",
      now: "Ladda om sidan för att fortsätta.",
    },
    grant_ended: {
      title: "Janus har inte längre åtkomst till ditt Discordkonto",
      why: "Du kanske har tagit bort appen under Auktoriserade appar (Authorized Apps) i Discord.",
      now: "Börja om och godkänn appen i Discord.",
    },
    banned: {
      title: "Du får inte koppla dina konton",
      why: "{platform} har beslutat att ditt Discordkonto, eller ditt konto hos {platform}, inte får kopplas.",
      now: "Det hjälper inte att försöka igen. Om du tror att det är ett misstag kan du kontakta {contact} och uppge referensen nedan.",
    },
    not_found: {
      title: "Sidan finns inte",
      why: "Adressen är kanske felskriven eller gammal.",
      now: "Gå till startsidan om du vill koppla dina konton.",
    },
    not_linked: {
      title: "Dina konton är inte kopplade",
      why: "Det finns ingen koppling att uppdatera eller ta bort. Du kanske redan har tagit bort den.",
      now: "Gå till startsidan om du vill koppla dina konton.",
    },
    session_unknown: {
      title: "Inloggningen är redan avslutad",
      why: "Du kanske har loggat ut på den enheten, eller så har inloggningen gått ut.",
      now: "Gå till Min sida för att se var du är inloggad.",
    },
    sync_too_soon: {
      title: "Du gjorde det här för mindre än en minut sedan",
      why: "Janus uppdaterar Discord högst en gång i minuten för varje medlem.",
      now: "Vänta en minut och försök sedan igen från Min sida.",
    },
    method_not_allowed: {
      title: "Sidan går inte att öppna direkt",
      why: "Du kan bara komma hit från en annan sida i Janus.",
      now: FROM_START,
    },
    request_too_large: {
      title: "Förfrågan var för stor",
      why: "Din webbläsare skickade mer än vad Janus tar emot.",
      now: FROM_START,
    },
    request_timeout: {
      title: "Förfrågan tog för lång tid",
      why: "Din webbläsare hann inte skicka allt. Din uppkoppling är kanske dålig.",
      now: FROM_START,
    },
    too_many_requests: {
      title: "För många förfrågningar",
      why: "Ditt nätverk har skickat många förfrågningar på kort tid, så Janus tar inte emot fler just nu.",
      now: "Vänta en minut och försök sedan igen från startsidan.",
    },
    internal: {
      title: "Något gick fel i Janus",
      why: "Det du höll på med blev kanske inte klart. Det beror inte på dig, och felet har loggats.",
      now: `${LATER} ${AGAIN}`,
    },
    token_unreadable: {
      title: "Din sparade inloggning går inte längre att använda",
      why: "Det beror inte på dig: Janus kan inte läsa den längre.",
      now: `Börja om, så ersätts den av en ny inloggning. ${AGAIN}`,
    },
    id_token_refused: {
      title: "Inloggningen hos {platform} kunde inte bekräftas",
      why: "Svaret från {platform} klarade inte en säkerhetskontroll, så inget har kopplats.",
      now: `Börja om. ${AGAIN}`,
    },
    id_token_unsupported: PROVIDER_FAULT,
    userinfo_refused: {
      title: "{platform} skickade motstridiga uppgifter",
      why: "Två svar stämde inte överens om vem du är, så inget har kopplats.",
      now: `Logga ut hos {platform} och börja om. ${AGAIN}`,
    },
    provider_misconfigured: PROVIDER_FAULT,
    provider_client_rejected: PROVIDER_FAULT,
    discord_client_rejected: {
      title: "Inloggningen med Discord är felkonfigurerad",
      why: PROVIDER_FAULT.why,
      now: PROVIDER_FAULT.now,
    },
    discord_refused: {
      title: "Discord nekade förfrågan",
      why: "Janus är kanske inte rätt inställt i Discord. Inget har ändrats.",
      now: `Börja om. ${AGAIN}`,
    },
    provider_unavailable: {
      title: "{platform} svarar inte just nu",
      why: NO_USABLE_REPLY,
      now: LATER,
    },
    discord_unavailable: {
      title: "Discord svarar inte just nu",
      why: NO_USABLE_REPLY,
      now: LATER,
    },
    discord_rate_limited: {
      title: "Discord ber Janus att vänta",
      why: `Discord har fått för många förfrågningar på kort tid. ${NOTHING_LOST}`,
      now: "Vänta några minuter och försök sedan igen.",
    },
    grant_ending: {
      title: "Din tidigare inloggning håller på att tas bort",
      why: "Om du loggade in nu skulle Discord logga ut dig igen.",
      now: "Vänta en stund och börja sedan om. Om det fortfarande inte går efter en halvtimme kan du kontakta {contact}. Uppge då referensen nedan.",
    },
    database_unavailable: {
      title: "Janus fungerar inte just nu",
      why: `Janus kommer inte åt sina sparade uppgifter. ${NOTHING_LOST}`,
      now: LATER,
    },
    too_busy: {
      title: "Janus har mycket att göra just nu",
      why: `Många använder Janus samtidigt. ${NOTHING_LOST}`,
      now: LATER,
    },
    database_not_migrated: {
      title: "Janus uppdateras just nu",
      why: `De sparade uppgifterna är inte redo för den nya versionen än. ${NOTHING_LOST}`,
      now: `${LATER} Om sidan fortfarande visas efter några minuter kan du kontakta {contact}.`,
    },
  },
};
