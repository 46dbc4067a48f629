/**
 * The German of every page. The placeholders are those of `en.ts`.
 *
 * Unreviewed: no native speaker has read these texts yet.
 */
import type { ErrorText, Texts } from "./en.ts";

const AGAIN = "Wenn es wieder passiert, wende dich an {contact} und gib die Anfrage-ID unten an.";
const LATER = "Versuche es in einer Minute noch einmal.";
const FROM_START = "Geh zur Startseite und versuche es von dort noch einmal.";
const NOTHING_LOST = "Es ist nichts verloren gegangen.";
const NO_USABLE_REPLY = `Janus hat eine Anfrage geschickt, aber keine brauchbare Antwort bekommen. ${NOTHING_LOST}`;
const MAYBE_LINKED = "Deine Konten sind vielleicht schon verknüpft. Sieh in deinem Konto nach.";
const START_AGAIN = "Wenn sie nicht verknüpft sind, beginne neu.";

const PROVIDER_FAULT: ErrorText = {
  title: "Die Anmeldung bei {platform} ist falsch eingerichtet",
  why: "Das liegt nicht an dir, und es wurde nichts geändert.",
  now: "Wende dich an {contact} und gib die Anfrage-ID unten an. Ein neuer Versuch hilft erst, wenn der Fehler behoben ist.",
};

/** The German texts. */
export const de: Texts = {
  locale: "de",
  discordLink: "Verknüpfen (Link)",
  requestId: "Anfrage-ID",
  unnamedAccount: "Das Konto, mit dem du dich angemeldet hast",
  buttons: {
    linkAccount: "Meine Konten verknüpfen",
    backToDiscord: "Zurück zu Discord",
    openDiscordApp: "Discord-App öffnen",
    tryAgain: "Noch einmal versuchen",
    startAgain: "Neu beginnen",
    toStart: "Zur Startseite",
    toAccount: "Zu meinem Konto",
    backToAccount: "Zurück zu meinem Konto",
    signIn: "Mit Discord anmelden",
    signInAgain: "Neu anmelden",
    signOut: "Abmelden",
    move: "Diese Konten verknüpfen",
    leave: "Nichts ändern",
    sync: "Jetzt aktualisieren",
    unlink: "Verknüpfung aufheben",
    confirmUnlink: "Ja, Verknüpfung aufheben",
    keepLink: "Verknüpfung behalten",
    useAnother: "Anderes Konto verwenden",
    confirmAnother: "Weiter",
    export: "Meine Daten herunterladen",
    endOthers: "Auf allen anderen Geräten abmelden",
    seeLink: "Schon verknüpft? Anmelden",
  },
  home: {
    title: "Hol dir deine Rollen auf Discord",
    lead: "Verknüpfe dein Discord-Konto mit deinem Konto bei {platform}. Dann bekommst du die Rollen auf Discord, die dir zustehen.",
    stores: "Janus speichert von beiden Konten den Namen und die ID, bis du die Verknüpfung aufhebst.",
    more: "Was Janus speichert",
  },
  welcome: {
    title: "Willkommen zurück",
    signedIn: "Du bist angemeldet als {other}.",
    linked: "Dein Discord-Konto ist mit deinem Konto bei {platform} verknüpft.",
    notLinked: "Dein Discord-Konto ist noch mit keinem Konto bei {platform} verknüpft.",
  },
  linked: {
    title: "Deine Konten sind verknüpft",
    now: "Ein Schritt fehlt noch: Hol dir deine Rolle in Discord.",
    again: "Alles ist in Ordnung. Wenn du deine Rolle noch nicht hast, hol sie dir in Discord:",
    later:
      "Deine Verknüpfung ist gespeichert, aber Discord konnte gerade nicht aktualisiert werden. Janus versucht es automatisch noch einmal. Warte ein paar Minuten. Hol dir dann deine Rolle in Discord.",
    nothingKnown:
      "Deine Verknüpfung ist gespeichert, aber {platform} hat nicht mitgeteilt, wovon deine Rollen abhängen. Discord kann dir noch keine Rolle geben. Versuche es später noch einmal. Wenn es wieder passiert, wende dich an {contact}.",
    onComputer:
      "Am Computer: Öffne den Server, klicke oben links auf seinen Namen und wähle Verknüpfte Rollen (Linked Roles).",
    onPhone:
      "Am Handy: Öffne den Server, tippe oben auf seinen Namen und wähle Verknüpfte Rollen (Linked Roles).",
    last: "Wähle dann deine Rolle aus und klicke auf {link}. Erst danach gibt dir Discord die Rolle.",
    earlierRole:
      "Dein anderes Discord-Konto behält seine Rolle vielleicht noch eine Weile. Wenn es die Rolle morgen noch hat, kannst du sie selbst entfernen: Melde dich mit diesem Konto bei Discord an. Öffne die Benutzereinstellungen, dann Autorisierte Apps (Authorized Apps), und hebe bei dieser App die Autorisierung auf (Deauthorize).",
  },
  cancelled: {
    discordTitle: "Du hast die Anmeldung bei Discord abgebrochen",
    lead: "Kein Problem: Es wurde nichts verknüpft oder geändert. Du kannst diese Seite schließen oder es jederzeit noch einmal versuchen.",
    providerTitle: "Du wurdest bei {platform} nicht angemeldet",
    providerWhy:
      "Entweder hast du abgebrochen, oder {platform} hat dich nicht angemeldet. Es wurde nichts verknüpft oder geändert.",
    providerNow:
      "Wenn du abgebrochen hast, kannst du es jederzeit noch einmal versuchen. Wenn nicht, frag {contact} nach dem Grund und gib die Anfrage-ID unten an.",
  },
  conflict: {
    title: "Möchtest du ändern, welche Konten verknüpft sind?",
    signedIn: "Du hast dich gerade mit diesen Konten angemeldet:",
    organisationTaken:
      "Dein Konto bei {platform} ist schon mit einem anderen Discord-Konto verknüpft: {other}. Wenn du stattdessen diese Konten verknüpfst, verliert das andere Discord-Konto die Rollen, die es über {platform} bekommen hat.",
    discordTaken:
      "Dein Discord-Konto ist schon mit einem anderen Konto bei {platform} verknüpft: {other}. Wenn du stattdessen diese Konten verknüpfst, ist das andere Konto nicht mehr verknüpft.",
    discordTakenUnnamed:
      "Dein Discord-Konto ist schon mit einem anderen Konto bei {platform} verknüpft. Wenn du stattdessen diese Konten verknüpfst, ist das andere Konto nicht mehr verknüpft.",
  },
  notAdmitted: {
    refusedTitle: "Dieses Konto bei {platform} kann nicht verknüpft werden",
    says: "{platform} entscheidet, welche Konten verknüpft werden können:",
    nothingLinked:
      "Es wurde nichts verknüpft, und Discord hat nichts erfahren. Janus behält den Zugang nicht, den du ihm gerade gegeben hast.",
    refusedNow:
      "Wenn du ein anderes Konto bei {platform} hast, kannst du es stattdessen verwenden. Wenn du denkst, dass etwas nicht stimmt, wende dich an {contact} und gib die Anfrage-ID unten an.",
    unknownTitle: "Es ist unklar, ob du dein Konto bei {platform} verknüpfen kannst",
    unknownWhy:
      "{platform} entscheidet, welche Konten verknüpft werden können. In der Antwort fehlte aber, was Janus dafür wissen muss. Das liegt nicht an dir.",
    unknownNow: `Versuche es später noch einmal. ${AGAIN}`,
  },
  cleared: {
    title: "Du bekommst über {platform} keine Rollen mehr",
    told: "Deine Konten sind weiterhin verknüpft, aber Discord entfernt die Rollen, die du über {platform} bekommen hast.",
    later:
      "Deine Konten sind weiterhin verknüpft. Discord konnte gerade nicht aktualisiert werden. Janus versucht es automatisch noch einmal. Dann entfernt Discord die Rollen, die du über {platform} bekommen hast.",
  },
  kept: {
    title: "Es wurde nichts geändert",
    lead: "Die Verknüpfung ist dieselbe wie zuvor. Du siehst sie in deinem Konto.",
  },
  signedOut: {
    title: "Du bist abgemeldet",
    lead: "Deine Rollen auf Discord bleiben, wie sie sind.",
  },
  account: {
    title: "Dein Konto",
    discordSilent:
      "Discord antwortet gerade nicht. Diese Seite zeigt die letzten Informationen, die Janus bekommen hat.",
    noAccount: "Nicht verknüpft",
    linkedSince: "Verknüpft seit {other}.",
    linkTitle: "Deine verknüpften Konten",
  },
  notices: {
    synced: "Fertig. Discord hat deine aktuellen Angaben.",
    sync_changed: "Fertig. Deine Angaben haben sich geändert, und Discord wurde aktualisiert.",
    sync_held:
      "Du und viele andere Mitglieder würden Rollen verlieren. Das kann ein Fehler sein, deshalb bleiben deine Rollen vorerst, wie sie sind. Du musst nichts tun.",
    sync_provider_silent:
      "{platform} hat nicht geantwortet, deshalb konnte Janus dein Konto nicht prüfen. Janus versucht es automatisch noch einmal.",
    sync_not_readable:
      "Janus konnte dein Konto bei {platform} nicht prüfen. Wenn sich dort etwas geändert hat, melde dich neu an.",
    sync_sign_in:
      "Janus hat keinen Zugriff mehr auf dein Konto. Damit du deine Rollen behältst, melde dich neu an.",
    sync_failed:
      "Discord konnte gerade nicht aktualisiert werden. Es ist nichts verloren gegangen, und Janus versucht es automatisch noch einmal.",
    sync_too_soon:
      "Das hast du vor weniger als einer Minute schon gemacht. Warte eine Minute und versuche es dann noch einmal.",
    session_ended: "Du bist auf dem anderen Gerät jetzt abgemeldet.",
    sessions_ended: "Du bist jetzt auf allen anderen Geräten abgemeldet.",
  },
  role: {
    title: "Deine Rolle auf Discord",
    yes: "ja",
    no: "nein",
    knownThrough: "Das hat Discord durch {platform} über dich erfahren:",
    notKnown: "nicht bekannt",
    notSent: "noch nicht gesendet",
    silent: "{platform} hat dazu nichts mitgeteilt.",
    silentKept: "{platform} hat dazu zuletzt nichts mitgeteilt. Discord behält die frühere Angabe.",
    unclear: "Janus konnte die Angabe von {platform} nicht verwenden.",
    unclearKept: "Janus konnte die neue Angabe von {platform} nicht verwenden. Discord behält die frühere.",
    change: "Nach der nächsten Aktualisierung: {other}",
    changed: "Seit der letzten Aktualisierung hat sich etwas geändert.",
    lost: "Seit dem {other} hast du über {platform} keine Rollen mehr.",
    cleared:
      "Seit dem {other} hast du über {platform} keine Rollen mehr, weil dein Konto dort die Bedingungen nicht mehr erfüllt.",
    clearedNow:
      "Wenn sich das geändert hat, melde dich neu an. Du kannst auch ein anderes Konto bei {platform} verwenden oder {contact} fragen.",
    refused:
      "Dein Konto bei {platform} erfüllt die Bedingungen nicht mehr. Mit der nächsten Aktualisierung verlierst du die Rollen, die du darüber bekommen hast.",
    readmitted:
      "Dein Konto bei {platform} erfüllt die Bedingungen wieder. Nach der nächsten Aktualisierung kannst du deine Rollen wieder bekommen.",
    admissionUnknown:
      "{platform} hat nicht mitgeteilt, ob deine Konten verknüpft bleiben können. Bis dahin ändert sich nichts.",
    lastTold: "Discord zuletzt aktualisiert: {other}",
    removed: "Rollen entfernt: {other}",
    nextUpdate: "Nächste Aktualisierung: {other}",
    mayStay:
      "Deine frühere Verknüpfung ist aufgehoben, aber Janus konnte Discord nicht aktualisieren. Wenn du noch eine Rolle aus dieser Verknüpfung hast, kannst du sie selbst entfernen: Öffne in Discord die Benutzereinstellungen, dann Autorisierte Apps (Authorized Apps), und hebe bei dieser App die Autorisierung auf (Deauthorize). Du kannst deine Konten auch neu verknüpfen: Die neue Verknüpfung ersetzt die frühere.",
    notLinked:
      "Deine Konten sind nicht verknüpft. Verknüpfe sie, um die Rollen auf Discord zu bekommen, die dir zustehen.",
    notTold: "Discord weiß noch nichts von deiner Verknüpfung und kann dir deshalb die Rolle nicht geben.",
    outdated:
      "Discord hat die letzte Aktualisierung noch nicht bekommen. Die Angaben oben sind deshalb vielleicht veraltet.",
    nextTry: "Janus versucht es am {other} noch einmal.",
    noTry: "Klicke auf {other}, um Discord zu aktualisieren.",
    knows: "Discord hat die letzte Aktualisierung bekommen.",
    given:
      "Discord gibt dir die Rolle, wenn du im Menü des Servers unter Verknüpfte Rollen (Linked Roles) auf {link} klickst. Wenn du das schon getan hast, musst du nichts mehr tun.",
    withheld:
      "Wo oben „nein“ steht, bekommst du keine Rollen, für die dort „{other}“ stehen muss. Wenn du so eine Rolle hattest, entfernt Discord sie.",
    compares:
      "Die Admins des Servers legen fest, was jede Rolle verlangt. Wenn die Angaben oben passen, gibt dir Discord die Rolle, wenn du im Menü des Servers unter Verknüpfte Rollen (Linked Roles) auf {link} klickst. Wenn etwas nicht passt oder nicht bekannt ist, bekommst du die Rolle nicht. Wenn du sie hattest, entfernt Discord sie.",
  },
  checks: {
    last: "Konto zuletzt geprüft: {other}",
    next: "Nächste Prüfung: {other}",
    failing:
      "{platform} hat nicht geantwortet, als Janus zuletzt dein Konto prüfen wollte. Für dich ändert sich nichts, und Janus versucht es automatisch noch einmal.",
    failingHere:
      "Janus konnte dein Konto bei {platform} zuletzt nicht prüfen. Janus versucht es automatisch noch einmal. Wenn du das morgen immer noch siehst, melde dich neu an.",
    notReadable:
      "Janus kann dein Konto bei {platform} nicht automatisch prüfen. Wenn sich dort etwas geändert hat, melde dich neu an.",
    noAccess: "Seit dem {other} hat Janus keinen Zugriff mehr auf dein Konto bei {platform}.",
    graceUntil:
      "Du behältst deine Rollen bis zum {other}. Wenn du sie danach behalten möchtest, melde dich neu an.",
    graceOver: "Wenn du deine Rollen behalten möchtest, melde dich neu an. Sonst entfernt Discord sie bald.",
    ended:
      "Seit dem {other} hast du über {platform} keine Rollen mehr, weil Janus keinen Zugriff mehr auf dein Konto dort hat.",
    endedNow: "Deine Konten sind weiterhin verknüpft. Melde dich neu an, um deine Rollen zurückzubekommen.",
    gone: "Am {other} hat {platform} Janus mitgeteilt, dass deine Mitgliedschaft beendet ist.",
    goneSoon:
      "Discord entfernt bald deine Rollen. Wenn das nicht stimmt, melde dich neu an. Wenn das nicht hilft, wende dich an {platform}.",
    goneNow:
      "Du hast über {platform} keine Rollen mehr. Deine Konten sind weiterhin verknüpft. Wenn du noch Mitglied bist, melde dich neu an, um deine Rollen zurückzubekommen. Wenn das nicht hilft, wende dich an {platform}.",
    held: "Am {other} hat Janus festgestellt, dass du und viele andere Mitglieder Rollen verlieren würden. Das kann ein Versehen sein. Deshalb behältst du deine Rollen vorerst. Du musst nichts tun.",
    disconnected:
      "Du hast über {platform} keine Rollen, weil die Verbindung zu Janus in deinen Discord-Einstellungen entfernt wurde. Janus hat das am {other} bemerkt.",
    discordEnded: "Discord lässt Janus deine Rollen seit {other} nicht mehr aktualisieren.",
    discordEndedNow: "Damit deine Rollen aktuell bleiben, melde dich neu an.",
    deauthorized:
      "Du hast über {platform} keine Rollen, weil du Janus am {other} in Discord aus deinen autorisierten Apps entfernt hast.",
    deauthorizedNow: "Wenn du deine Rollen zurückhaben möchtest, melde dich neu an.",
    disconnectedNow: "Wenn du deine Rollen zurückhaben möchtest, klicke auf {other}.",
  },
  told: {
    title: "Letzte Ereignisse",
    deauthorized: "{other}: Du hast Janus in Discord entfernt.",
    membership_ended: "{other}: {platform} hat Janus mitgeteilt, dass deine Mitgliedschaft beendet ist.",
    membership_restored: "{other}: {platform} hat Janus mitgeteilt, dass du wieder Mitglied bist.",
    provider_logout: "{other}: {platform} hat dich abgemeldet. Deshalb hat Janus dich auch abgemeldet.",
    recheck_asked:
      "{other}: {platform} hat Janus mitgeteilt, dass sich dein Konto geändert hat. Deshalb prüft Janus es erneut.",
  },
  handled: {
    title: "Was Administratoren getan haben",
    looked_at: "{other}: Ein Administrator hat deine Verknüpfung angesehen.",
    ban_looked_at: "{other}: Ein Administrator hat eine Sperre von dir angesehen.",
    sync_asked: "{other}: Ein Administrator hat dein Konto von Janus prüfen lassen.",
    sessions_purged: "{other}: Ein Administrator hat dich abgemeldet.",
    unlinked: "{other}: Ein Administrator hat deine Verknüpfung entfernt.",
    imported: "{other}: Ein Administrator hat deine Verknüpfung importiert.",
    adopted: "{other}: Ein Administrator hat deine Verknüpfung aus einem anderen Programm übernommen.",
    banned: "{other}: Ein Administrator hat dich für das Verknüpfen gesperrt.",
    ban_lifted: "{other}: Ein Administrator hat eine Sperre von dir aufgehoben.",
  },
  admin: {
    title: "Verwaltung",
    signInTitle: "Als Administrator anmelden",
    signInLead:
      "Diese Seite ist für Administratoren von {platform}. Melde dich bei {platform} an, um sie zu nutzen. Eine Anmeldung gilt eine Stunde.",
    signInButton: "Bei {platform} anmelden",
    refusedTitle: "Du kannst diese Seite nicht nutzen",
    refusedWhy: "Laut {platform} ist dein Konto nicht das eines Administrators.",
    refusedNow:
      "Wenn du glaubst, dass das falsch ist, wende dich an {contact}. Wenn deine Rechte gerade geändert wurden, melde dich noch einmal an.",
    signedInAs: "Angemeldet als {other}",
    until: "bis {other}",
    overview: "Übersicht",
    members: "Mitglieder",
    member: "Mitglied",
    signOut: "Abmelden",
    noLinkTitle: "Dieses Mitglied hat keine Verknüpfung",
    noLink:
      "Für dieses Discord-Konto gibt es keine Verknüpfung. Das Mitglied oder jemand anderes hat sie vielleicht entfernt.",
    search: "Teil eines Namens oder einer ID",
    searchButton: "Suchen",
    state: "Zustand",
    anyState: "Jeder Zustand",
    onlyFailing: "Nur Verknüpfungen, deren letzte Prüfung oder Aktualisierung fehlschlug",
    onlyCode: "Nur Verknüpfungen, deren letzte Prüfung oder Aktualisierung mit {other} fehlschlug",
    states: {
      told: "aktuell",
      waiting: "wartet auf Discord",
      losing: "verliert bald etwas",
      disconnected: "vom Mitglied in Discord entfernt",
      cleared: "ohne Rollen",
    },
    linksTitle: "Verknüpfungen",
    all: "alle",
    attentionTitle: "Zu erledigen",
    nothing: "Nichts ist zu erledigen.",
    attention: {
      check_overdue: "Prüfungen, die seit über einer Stunde überfällig sind",
      push_overdue: "Aktualisierungen, die Discord seit über einer Stunde fehlen",
      loss_overdue: "Entzogene Rollen, von denen Discord seit über einer Stunde nichts weiß",
      losses_held: "Rollen, die bleiben, weil viele Mitglieder etwas verlieren würden",
      key_missing: "Schlüssel, die in TOKEN_KEYS fehlen",
      backup_old: "Die letzte Sicherung ist über 8 Tage alt",
    },
    weekTitle: "Die letzten 7 Tage",
    week: {
      begun: "Mitglieder, die von Discord zurückkamen",
      finished: "Mitglieder, die ihre Konten verknüpften oder die Verknüpfung erneuerten",
      notAdmitted: "Mitglieder, die die Regeln nicht zuließen",
      unlinked: "Verknüpfungen, die endeten",
      signedIn: "Anmeldungen auf der Kontoseite",
      pushed: "Aktualisierungen, die Discord annahm",
      cleared: "Rollenverbindungen, die gelöscht wurden",
      pushesFailed: "Aktualisierungen, die fehlschlugen",
      discordGrantsEnded: "Verknüpfungen, deren Zugriff auf Discord endete",
      providerGrantsEnded: "Verknüpfungen, deren Zugriff auf {platform} endete",
    },
    syncTitle: "Aktualisierungen",
    checksDue: "Fällige Prüfungen",
    pushesDue: "Fällige Aktualisierungen",
    oldest: "die älteste seit {other}",
    stopped: "Janus fragt diesen Server erst wieder {other}",
    brakeTitle: "Zurückgehaltene Änderungen",
    brakeFree: "Keine Änderungen werden zurückgehalten.",
    brakeHeld:
      "Seit {other} hält Janus Änderungen zurück, durch die Mitglieder Rollen verlieren, weil es ungewöhnlich viele sind.",
    brakeWaiting: "Verknüpfungen, die etwas verlieren würden",
    brakeQuestion: "Die Änderungen freigeben?",
    brakeLead:
      "Discord erfährt es innerhalb einer Minute, und diese Mitglieder verlieren Rollen. Prüfe zuerst, ob {platform} das wirklich sagt: sieh dir einige der Mitglieder an.",
    brakeButton: "Freigeben",
    failingTitle: "Fehlgeschlagene Prüfungen und Aktualisierungen nach Code",
    failingNone: "Keine Prüfung und keine Aktualisierung ist fehlgeschlagen.",
    listTitle: "Mitglieder",
    listNone: "Keine Verknüpfungen gefunden.",
    listMore: "Nächste Seite",
    listFirst: "Erste Seite",
    listPart: "Es gibt vielleicht mehr. Die Suche geht auf der nächsten Seite weiter.",
    name: "Name bei {platform}",
    subject: "ID bei {platform}",
    discordId: "Discord-ID",
    linkedAt: "Verknüpft",
    checkedAt: "Letzte Prüfung",
    nextCheck: "Nächste Prüfung",
    pushedAt: "Letzte Aktualisierung bei Discord",
    nextPush: "Nächste Aktualisierung",
    failures: "Fehlschläge in Folge",
    never: "nie",
    none: "keine",
    sessions: "Anmeldungen auf der Kontoseite",
    roleLeft: "Hat vielleicht noch eine Rolle seit",
    tokens: "Zugriff",
    tokenUntil: "läuft ab {other}",
    tokenEnded: "endete {other}",
    tokenRefresh: "erneuert sich selbst",
    tokenNoRefresh: "erneuert sich nicht selbst",
    whyTitle: "Rollen, und warum",
    admitted: "Darf verknüpfen",
    username: "Name auf Discord",
    discordHas: "Discord hat: {other}",
    rulesSay: "Die Regeln sagen: {other}",
    unknown: "unbekannt, weil {other} fehlt",
    error: "ein Fehler: {other}",
    noRule: "keine Regel mehr",
    yes: "ja",
    no: "nein",
    trailTitle: "Letzte Ereignisse",
    byOperator: "von {other}",
    changeTitle: "Ändern",
    sync: "Jetzt prüfen und aktualisieren",
    endSessions: "Mitglied abmelden",
    unlink: "Verknüpfung entfernen",
    ban: "Sperren",
    back: "Zurück",
    sessionsQuestion: "Dieses Mitglied überall abmelden?",
    sessionsLead: "Die Verknüpfung und die Rollen bleiben.",
    unlinkQuestion: "Diese Verknüpfung entfernen?",
    unlinkLead:
      "Das Mitglied verliert die Rollen, die davon abhängen, und wird abgemeldet. Es kann sich neu verknüpfen.",
    banQuestion: "Dieses Mitglied sperren?",
    banLead:
      "Keines der beiden Konten kann verknüpft werden, bis die Sperre endet. Die Verknüpfung endet jetzt, mit ihr die Rollen, und das Mitglied wird abgemeldet.",
    reason: "Grund, nur für Administratoren (freiwillig)",
    unlinkReason: "Grund, den das Mitglied in seinen Daten lesen kann (freiwillig)",
    banEnd: "Wie lange",
    banEnds: { never: "bis sie aufgehoben wird", week: "eine Woche", month: "30 Tage", year: "ein Jahr" },
    bansTitle: "Sperren",
    bansNone: "Niemand ist gesperrt.",
    bansLead: "Diese Konten können nicht verknüpft werden. Öffne eines, um die Sperre aufzuheben.",
    banAccount: "Konto {other}",
    banSince: "seit {other}",
    banUntil: "bis {other}",
    banNoEnd: "bis sie aufgehoben wird",
    bannedAt: "Gesperrt",
    bannedBy: "Von",
    banReason: "Grund",
    lift: "Sperre aufheben",
    liftQuestion: "Diese Sperre aufheben?",
    liftLead:
      "Das Konto kann dann wieder verknüpft werden. Verknüpft wird dadurch nichts: das Mitglied folgt dem Link noch einmal. Ist auch das andere Konto des Mitglieds gesperrt, bleibt diese Sperre.",
    visible:
      "Jeder Blick auf ein Mitglied und jede Änderung wird mit deinem Namen aufgezeichnet. Das Mitglied sieht, dass es geschehen ist, und wann.",
    notices: {
      synced: "Fertig. Nichts hatte sich geändert.",
      sync_changed: "Fertig. Etwas hatte sich geändert, und Discord ist aktualisiert.",
      sync_held: "Viele Mitglieder würden Rollen verlieren, deshalb behält dieses sie vorerst.",
      sync_provider_silent: "{platform} hat nicht geantwortet. Janus versucht es automatisch noch einmal.",
      sync_not_readable:
        "Das Konto bei {platform} konnte nicht geprüft werden. Nur eine neue Anmeldung des Mitglieds hilft.",
      sync_sign_in:
        "Janus hat keinen Zugriff mehr auf das Konto. Nur eine neue Anmeldung des Mitglieds hilft.",
      sync_failed:
        "Discord konnte gerade nicht aktualisiert werden. Janus versucht es automatisch noch einmal.",
      sync_too_soon: "Das ist weniger als eine Minute her. Warte eine Minute und versuche es noch einmal.",
      unlinked: "Die Verknüpfung ist entfernt.",
      unlinked_later: "Die Verknüpfung ist entfernt. Discord erfährt es, sobald es antwortet.",
      unlinked_role:
        "Die Verknüpfung ist entfernt. Discord hat die Rolle nicht entfernt: entferne sie von Hand.",
      banned: "Die Sperre gilt.",
      banned_later: "Die Sperre gilt. Discord erfährt es, sobald es antwortet.",
      banned_role: "Die Sperre gilt. Discord hat die Rolle nicht entfernt: entferne sie von Hand.",
      ban_lifted: "Die Sperre ist aufgehoben.",
      ban_over: "Diese Sperre gilt nicht mehr.",
      sessions_ended: "Das Mitglied ist abgemeldet.",
      released: "Die Änderungen sind freigegeben. Discord erfährt es innerhalb einer Minute.",
      reason_refused:
        "Nichts wurde geändert: der Grund hat über 500 Zeichen, oder solche, die man nicht sieht.",
    },
  },
  sessions: {
    title: "Deine Daten und Geräte",
    onlyThis: "Du bist nur auf diesem Gerät angemeldet.",
    current: "dieses Gerät",
    unknownDevice: "Unbekanntes Gerät",
    browser: "{browser} auf {system}",
    end: "Abmelden: {browser}",
    endUnknown: "Abmelden: unbekanntes Gerät",
    createdAt: "Angemeldet: {other}",
    lastUsedAt: "Zuletzt benutzt: {other}",
  },
  signIn: {
    title: "Melde dich bei deinem Konto an",
    lead: "Melde dich mit Discord an, um deine verknüpften Konten bei Discord und {platform} zu sehen, die Verknüpfung aufzuheben oder deine Daten herunterzuladen.",
  },
  unlink: {
    title: "Verknüpfung dieser Konten aufheben?",
    lead: "Das passiert, wenn du die Verknüpfung aufhebst:",
    ends: [
      "Du verlierst die Rollen auf Discord, die du über {platform} bekommen hast.",
      "Janus hat keinen Zugriff mehr auf deine Konten bei Discord und {platform}.",
      "Janus löscht die Verknüpfung und alles, was es über dein Konto bei {platform} gespeichert hat.",
      "Du wirst auf allen Geräten bei Janus abgemeldet.",
    ],
    stays:
      "Deine Konten bei Discord und {platform} selbst bleiben, wie sie sind. Du kannst sie jederzeit wieder verknüpfen.",
  },
  unlinked: {
    title: "Deine Konten sind nicht mehr verknüpft",
    finished:
      "Discord entfernt die Rollen, die du über {platform} bekommen hast. Janus hat die Verknüpfung gelöscht und alles, was es über dein Konto bei {platform} gespeichert hatte. Du bist auf allen Geräten abgemeldet.",
    roleMayStay:
      "Janus hat die Verknüpfung gelöscht und alles, was es über dein Konto bei {platform} gespeichert hatte. Du bist auf allen Geräten abgemeldet. Deine Rolle auf Discord konnte Janus aber nicht entfernen. Wenn du sie noch hast, kannst du sie selbst entfernen: Öffne in Discord die Benutzereinstellungen, dann Autorisierte Apps (Authorized Apps), und hebe bei dieser App die Autorisierung auf (Deauthorize). Du kannst auch {contact} bitten, sie zu entfernen.",
    pending:
      "Janus hat deine Verknüpfung gelöscht und dich abgemeldet, aber Discord konnte gerade nicht aktualisiert werden. Du behältst deine Rollen, bis Janus Discord aktualisieren konnte. Janus versucht es weiter. Wenn du morgen noch eine Rolle hast, kannst du sie selbst entfernen: Öffne in Discord die Benutzereinstellungen, dann Autorisierte Apps (Authorized Apps), und hebe bei dieser App die Autorisierung auf (Deauthorize).",
    again: "Du kannst deine Konten jederzeit wieder verknüpfen.",
  },
  another: {
    title: "Anderes Konto verwenden",
    lead: "Du meldest dich noch einmal bei Discord und {platform} an und wählst aus, welche Konten du verknüpfen möchtest.",
    atDiscord: "Für ein anderes Discord-Konto klickst du auf der Seite von Discord auf {other}.",
    notYou: "Nicht du? (Not you?)",
    atProvider:
      "Für ein anderes Konto bei {platform} meldest du dich damit an, wenn {platform} dich zur Anmeldung auffordert.",
    asksFirst:
      "Wenn eines der Konten schon mit einem anderen verknüpft ist, fragt dich Janus, bevor es etwas ändert.",
  },
  export: {
    about: [
      "Diese Datei enthält alles, was Janus über dich gespeichert hat.",
      "{platform} ist für diese Daten verantwortlich. Wenn du Fragen dazu hast, wende dich an {platform}.",
      'Wo "present" steht, hat Janus ein Geheimnis gespeichert, zum Beispiel den Zugang zu deinem Discord-Konto. Das Geheimnis selbst ist zu deiner Sicherheit weggelassen. "absent" heißt, dass Janus kein solches Geheimnis hat.',
      "Alle Zeiten sind in UTC.",
    ],
  },
  about: {
    title: "Über Janus",
    lead: "Janus verknüpft dein Discord-Konto mit deinem Konto bei {platform} und teilt Discord mit, wovon deine Rollen abhängen, zum Beispiel ob du Mitglied bist. {platform} betreibt diesen Dienst.",
    never: "Janus sieht deine Passwörter nie und kann deine Nachrichten auf Discord nicht lesen.",
    storesTitle: "Das speichert Janus",
    stores: [
      "Dein Discord-Konto: ID, Benutzername und Anzeigename.",
      "Dein Konto bei {platform}: ID, Benutzername und Name, und wovon deine Rollen abhängen, zum Beispiel Gruppen.",
      "Wann du die Konten verknüpft hast und was Janus Discord über dich mitgeteilt hat.",
      "Den Zugang zu beiden Konten, den du Janus gegeben hast. Er ist verschlüsselt.",
      "Wo du angemeldet bist: die Art des Browsers und wann du ihn benutzt hast.",
      "Einen Verlauf: wann deine Konten verknüpft und aktualisiert wurden, wann die Verknüpfung aufgehoben wurde und wann eine nicht möglich war, mit den IDs beider Konten und dem, was sich auf Discord geändert hat. Dort steht auch, wann ein Administrator deine Verknüpfung angesehen oder geändert hat.",
    ],
    log: "Der Server führt außerdem ein Protokoll, um Fehler zu finden. Es kann deine Discord-ID enthalten, aber nicht deinen Namen. Eine IP-Adresse enthält es nur, wenn von ihr zu viele Anfragen kommen oder wenn sie Anfragen für andere weiterleitet.",
    keepsTitle: "So lange wird es gespeichert",
    keeps: [
      "Die Verknüpfung und alles, was über beide Konten gespeichert ist: bis du die Verknüpfung aufhebst.",
      "Eine Anmeldung: bis du dich abmeldest, höchstens 30 Tage. Sie endet nach 7 Tagen, wenn du sie nicht benutzt. Wenn deine Konten nicht verknüpft sind, wird mit deiner letzten Anmeldung auch gelöscht, was über dein Discord-Konto gespeichert ist.",
      "Eine Verknüpfung, die du begonnen und nicht abgeschlossen hast: etwa eine Stunde.",
      "Eine Rolle, die Janus beim Aufheben der Verknüpfung nicht entfernen konnte: deine Discord-ID bis zu 400 Tage, damit die Rolle später entfernt werden kann.",
      "Der Verlauf: solange deine Konten verknüpft sind. Danach löscht Janus, was älter als {other} Tage ist.",
      "Das Protokoll und die Sicherungen: {platform} entscheidet, wie lange sie aufbewahrt werden.",
    ],
    deleteTitle: "So lässt du es löschen",
    unlink:
      "Hebe die Verknüpfung auf. Janus löscht dann die Verknüpfung, alles, was es über dein Konto bei {platform} gespeichert hat, und deine Anmeldungen. Was es über dein Discord-Konto gespeichert hat, löscht es, sobald Discord davon weiß.",
    ask: "Wenn du dich nicht anmelden kannst oder Fragen zum Rest hast, frag {contact}.",
    policy: "{other} sagt mehr darüber, wie {platform} mit deinen Daten umgeht.",
    policyName: "Die Datenschutzerklärung",
  },
  footer: {
    runBy: "Janus wird von {platform} betrieben.",
    about: "Über Janus",
    privacy: "Datenschutz",
    support: "Kontakt: {platform}",
  },
  errors: {
    callback_malformed: {
      title: "Die Adresse dieser Seite ist unvollständig",
      why: "Etwas, das Discord oder {platform} an die Adresse angehängt hat, fehlt oder wurde geändert.",
      now: "Beginne noch einmal von vorn.",
    },
    authorization_rejected: {
      title: "Du konntest nicht angemeldet werden",
      why: "Discord oder {platform} hat die Anmeldung hier abgelehnt.",
      now: `Beginne neu. ${AGAIN}`,
    },
    code_rejected: {
      title: "Deine Anmeldung konnte nicht abgeschlossen werden",
      why: "Sie hat zu lange gedauert, oder diese Seite wurde zweimal geladen.",
      now: `${MAYBE_LINKED} ${START_AGAIN}`,
    },
    scope_missing: {
      title: "Eine Berechtigung fehlt",
      why: "Discord hat Janus nicht alle Berechtigungen gegeben, die nötig sind.",
      now: "Beginne neu und stimme allen Berechtigungen zu, die Discord anzeigt.",
    },
    unauthenticated: {
      title: "Du bist nicht angemeldet",
      why: "Du musst dich zuerst anmelden. Wenn du vorher angemeldet warst, wurdest du inzwischen abgemeldet.",
      now: "Melde dich mit Discord an, um weiterzumachen.",
    },
    state_mismatch: {
      title: "Janus erkennt diese Anmeldung nicht",
      why: "Das kann passieren, wenn du eine Seite neu lädst, den Browser wechselst oder Cookies blockierst.",
      now: `${MAYBE_LINKED} Wenn sie nicht verknüpft sind, beginne in diesem Browser neu und erlaube Cookies.`,
    },
    flow_expired: {
      title: "Die Anmeldung hat zu lange gedauert",
      why: "Zu deiner Sicherheit läuft eine begonnene Anmeldung nach kurzer Zeit ab.",
      now: `${MAYBE_LINKED} ${START_AGAIN}`,
    },
    flow_finished: {
      title: "Diese Anmeldung ist schon abgeschlossen",
      why: "Vielleicht hast du die Seite neu geladen, sie noch einmal geöffnet oder zweimal auf eine Schaltfläche geklickt.",
      now: `${MAYBE_LINKED} ${START_AGAIN}`,
    },
    issuer_mismatch: {
      title: "Die Antwort kam von einer unerwarteten Stelle",
      why: "Janus konnte nicht bestätigen, wer sie geschickt hat, und hat zu deiner Sicherheit abgebrochen.",
      now: `Beginne neu. ${AGAIN}`,
    },
    origin_refused: {
      title: "Deine Anfrage wurde nicht angenommen",
      why: "Zu deiner Sicherheit nimmt Janus nur Anfragen von seinen eigenen Seiten an. Es wurde nichts geändert.",
      now: `${FROM_START} Wenn es wieder passiert, versuche es mit einem anderen Browser.`,
    },
    prefetch_refused: {
      title: "Dein Browser hat diese Seite im Voraus geöffnet",
      why: "Browser tun das, um Zeit zu sparen, aber Janus wartet, bis du die Seite selbst öffnest. Es wurde nichts geändert.",
      now: "Lade diese Seite neu, um weiterzumachen.",
    },
    grant_ended: {
      title: "Janus hat keinen Zugriff mehr auf dein Discord-Konto",
      why: "Vielleicht hast du diese App in Discord unter Autorisierte Apps (Authorized Apps) entfernt.",
      now: "Beginne neu und stimme der App in Discord zu.",
    },
    banned: {
      title: "Du darfst deine Konten nicht verknüpfen",
      why: "{platform} hat entschieden, dass dein Discord-Konto oder dein Konto bei {platform} nicht verknüpft werden darf.",
      now: "Ein neuer Versuch hilft nicht. Wenn du das für einen Irrtum hältst, wende dich an {contact} und gib die Anfrage-ID unten an.",
    },
    not_found: {
      title: "Diese Seite gibt es nicht",
      why: "Die Adresse ist vielleicht falsch oder veraltet.",
      now: "Geh zur Startseite, wenn du deine Konten verknüpfen möchtest.",
    },
    not_linked: {
      title: "Deine Konten sind nicht verknüpft",
      why: "Es gibt keine Verknüpfung, die aktualisiert oder aufgehoben werden kann. Vielleicht hast du sie schon aufgehoben.",
      now: "Geh zur Startseite, wenn du deine Konten verknüpfen möchtest.",
    },
    session_unknown: {
      title: "Diese Anmeldung ist schon beendet",
      why: "Vielleicht hast du dich auf dem Gerät abgemeldet, oder die Anmeldung ist abgelaufen.",
      now: "Sieh in deinem Konto nach, wo du angemeldet bist.",
    },
    sync_too_soon: {
      title: "Das hast du vor weniger als einer Minute schon gemacht",
      why: "Janus aktualisiert Discord für jedes Mitglied höchstens einmal pro Minute.",
      now: "Warte eine Minute und versuche es dann von deinem Konto aus noch einmal.",
    },
    method_not_allowed: {
      title: "Diese Seite lässt sich nicht direkt öffnen",
      why: "Du kommst nur von einer anderen Seite von Janus hierher.",
      now: FROM_START,
    },
    request_too_large: {
      title: "Die Anfrage war zu groß",
      why: "Dein Browser hat mehr geschickt, als Janus annimmt.",
      now: FROM_START,
    },
    request_timeout: {
      title: "Die Anfrage hat zu lange gedauert",
      why: "Dein Browser hat nicht alles rechtzeitig geschickt. Vielleicht ist deine Verbindung schlecht.",
      now: FROM_START,
    },
    too_many_requests: {
      title: "Zu viele Anfragen",
      why: "Dein Netzwerk hat in kurzer Zeit viele Anfragen geschickt. Deshalb nimmt Janus gerade keine weiteren an.",
      now: "Warte eine Minute und versuche es dann von der Startseite aus noch einmal.",
    },
    internal: {
      title: "Bei Janus ist etwas schiefgegangen",
      why: "Dein letzter Schritt ist vielleicht nicht abgeschlossen. Das liegt nicht an dir, und der Fehler wurde protokolliert.",
      now: `${LATER} ${AGAIN}`,
    },
    token_unreadable: {
      title: "Deine gespeicherte Anmeldung lässt sich nicht mehr verwenden",
      why: "Das liegt nicht an dir: Janus kann sie nicht mehr lesen.",
      now: `Beginne neu: Eine neue Anmeldung ersetzt sie. ${AGAIN}`,
    },
    id_token_refused: {
      title: "Deine Anmeldung bei {platform} konnte nicht bestätigt werden",
      why: "Die Antwort von {platform} hat eine Sicherheitsprüfung nicht bestanden. Deshalb wurde nichts verknüpft.",
      now: `Beginne neu. ${AGAIN}`,
    },
    id_token_unsupported: PROVIDER_FAULT,
    userinfo_refused: {
      title: "{platform} hat widersprüchliche Angaben geschickt",
      why: "Zwei Antworten stimmen nicht darin überein, wer du bist. Deshalb wurde nichts verknüpft.",
      now: `Melde dich bei {platform} ab und beginne neu. ${AGAIN}`,
    },
    provider_misconfigured: PROVIDER_FAULT,
    provider_client_rejected: PROVIDER_FAULT,
    discord_client_rejected: {
      title: "Die Anmeldung mit Discord ist falsch eingerichtet",
      why: PROVIDER_FAULT.why,
      now: PROVIDER_FAULT.now,
    },
    discord_refused: {
      title: "Discord hat die Anfrage abgelehnt",
      why: "Vielleicht ist Janus in Discord nicht richtig eingerichtet. Es wurde nichts geändert.",
      now: `Beginne neu. ${AGAIN}`,
    },
    provider_unavailable: {
      title: "{platform} antwortet gerade nicht",
      why: NO_USABLE_REPLY,
      now: LATER,
    },
    discord_unavailable: {
      title: "Discord antwortet gerade nicht",
      why: NO_USABLE_REPLY,
      now: LATER,
    },
    discord_rate_limited: {
      title: "Discord bittet Janus zu warten",
      why: `Discord hat in kurzer Zeit zu viele Anfragen bekommen. ${NOTHING_LOST}`,
      now: "Warte ein paar Minuten und versuche es dann noch einmal.",
    },
    grant_ending: {
      title: "Deine frühere Anmeldung wird noch entfernt",
      why: "Wenn du dich jetzt anmelden würdest, würde Discord dich wieder abmelden.",
      now: "Warte eine Weile und beginne dann neu. Wenn es nach einer halben Stunde immer noch nicht geht, wende dich an {contact} und gib die Anfrage-ID unten an.",
    },
    database_unavailable: {
      title: "Janus funktioniert gerade nicht",
      why: `Janus kommt nicht an seine gespeicherten Daten. ${NOTHING_LOST}`,
      now: LATER,
    },
    too_busy: {
      title: "Janus hat gerade sehr viel zu tun",
      why: `Viele Leute verwenden Janus gleichzeitig. ${NOTHING_LOST}`,
      now: LATER,
    },
    database_not_migrated: {
      title: "Janus wird gerade aktualisiert",
      why: `Die gespeicherten Daten sind noch nicht für die neue Version bereit. ${NOTHING_LOST}`,
      now: `${LATER} Wenn du diese Seite nach ein paar Minuten immer noch siehst, wende dich an {contact}.`,
    },
  },
};
