/**
 * The German of every page but the error pages, which are in `errors.ts`. The placeholders are those of `en/pages.ts`.
 *
 * Unreviewed: no native speaker has read these texts yet.
 */
import type { Texts } from "../en/pages.ts";
import { errorsDe } from "./errors.ts";

/** The German texts. */
export const de: Texts = {
  locale: "de",
  records: {
    dsek_member: {
      name: "Mitglied",
      description: "Hat ein Konto bei der Organisation",
      fact: "Mitglied bei {platform}: {other}",
    },
  },
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
  },
  linked: {
    title: "Deine Konten sind verknüpft",
    now: "Ein Schritt fehlt noch: Hol dir deine Rolle in Discord.",
    later:
      "Deine Verknüpfung ist gespeichert, aber Discord konnte gerade nicht aktualisiert werden. Janus versucht es automatisch noch einmal. Warte ein paar Minuten. Hol dir dann deine Rolle in Discord.",
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
      "Wenn du abgebrochen hast, kannst du es jederzeit noch einmal versuchen. Wenn nicht, frag bei {platform} nach dem Grund und gib die Anfrage-ID unten an.",
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
  account: {
    title: "Dein Konto",
    discordSilent:
      "Discord antwortet gerade nicht. Diese Seite zeigt die letzten Informationen, die Janus bekommen hat.",
    noAccount: "Nicht verknüpft",
    linkedSince: "Verknüpft seit {other}.",
    linkTitle: "Deine verknüpften Konten",
  },
  notices: {
    synced: "Fertig. Discord wurde aktualisiert.",
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
    lastTold: "Letzte Aktualisierung: {other}",
    nextCheck: "Nächste Aktualisierung: {other}",
    noCheck: "Keine weitere Aktualisierung nötig",
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
      "Rollen, die ein {other} brauchen, wo oben ein Nein steht, bekommst du nicht. Wenn du so eine Rolle hattest, entfernt Discord sie.",
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
      "Janus hat die Verknüpfung gelöscht und alles, was es über dein Konto bei {platform} gespeichert hatte. Du bist auf allen Geräten abgemeldet. Deine Rolle auf Discord konnte Janus aber nicht entfernen. Wenn du sie noch hast, kannst du sie selbst entfernen: Öffne in Discord die Benutzereinstellungen, dann Autorisierte Apps (Authorized Apps), und hebe bei dieser App die Autorisierung auf (Deauthorize). Du kannst auch {platform} bitten, sie zu entfernen.",
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
  errors: errorsDe,
};
