/** The German of the commands in Discord. The words are those of the pages, and Discord's own for its permissions. */
import type { Texts } from "./en.ts";

/** The German texts. */
export const de: Texts = {
  commands: {
    janus: "Deine Verknüpfung mit deiner Organisation",
    janusOfAdmins: "Verknüpfungen der Mitglieder mit deiner Organisation",
    status: "Zeigt deine eigene Verknüpfung, nur für dich",
    whois: "Zeigt die Verknüpfung eines Mitglieds, nur für dich. Das Mitglied erfährt davon",
    member: "Das Mitglied, um das es geht",
  },
  linkedSelf: "Dein Discord-Konto ist seit {other} mit deinem Konto bei {platform} verknüpft.",
  linked: "{member} ist seit {other} mit einem Konto bei {platform} verknüpft.",
  unlinkedSelf:
    "Dein Discord-Konto ist mit keinem Konto bei {platform} verknüpft. Du kannst es hier verknüpfen: {url}",
  unlinked: "{member} ist mit keinem Konto bei {platform} verknüpft.",
  name: "Name bei {platform}: {other}",
  records: "Das weiß Discord über {platform}:",
  yes: "ja",
  no: "nein",
  notKnown: "unbekannt",
  states: {
    told: "Discord hat die neueste Aktualisierung erhalten.",
    waiting:
      "Discord hat die neueste Aktualisierung noch nicht erhalten. Janus versucht es automatisch noch einmal.",
    losing: "Mit einer der nächsten Aktualisierungen wird etwas davon zurückgenommen.",
    cleared: "Discord gibt zurzeit keine Rollen über {platform}.",
    disconnected: "Discord gibt zurzeit keine Rollen über {platform}.",
  },
  sync: {
    check_failing:
      "Das Konto bei {platform} konnte zuletzt nicht geprüft werden. Janus versucht es automatisch noch einmal.",
    not_readable:
      "Janus kann das Konto bei {platform} nicht automatisch prüfen. Wenn sich etwas geändert hat, hilft eine neue Anmeldung.",
    grace:
      "Janus hat keinen Zugriff mehr auf das Konto bei {platform}. Die Rollen bleiben bis {other}, und nach einer neuen Anmeldung länger.",
    ended:
      "Janus hat seit {other} keinen Zugriff mehr auf das Konto bei {platform}. Eine neue Anmeldung bringt die Rollen zurück.",
    gone: "Am {other} hat {platform} Janus mitgeteilt, dass die Mitgliedschaft beendet ist.",
    held: "Viele Mitglieder würden etwas verlieren, und das kann ein Fehler sein. Deshalb wird vorerst nichts zurückgenommen.",
    disconnected:
      "Die Verbindung zu Janus wurde in den Einstellungen von Discord entfernt. Janus hat das am {other} bemerkt.",
    discord_ended:
      "Discord lässt Janus die Rollen seit {other} nicht mehr aktualisieren. Eine neue Anmeldung hilft.",
    deauthorized:
      "Janus wurde am {other} aus den autorisierten Apps in Discord entfernt. Eine neue Anmeldung bringt die Rollen zurück.",
  },
  ownPage: "Auf deiner Seite steht mehr, und alles, was du tun kannst: {url}",
  seen: "Das Mitglied kann sehen, dass ein Admin die Verknüpfung angesehen hat.",
  noMember: "{member} ist kein Mitglied dieses Servers.",
  notHere:
    "Janus zeigt auf diesem Server keine Verknüpfungen von Mitgliedern. Wer Janus betreibt, wählt die Server dafür aus.",
  notAllowed: "Um Verknüpfungen anderer anzusehen, brauchst du hier die Berechtigung „Server verwalten“.",
  slow: "Janus kann gerade nicht antworten. Versuche es in einer Minute noch einmal.",
  repeated: "Janus hat diesen Befehl schon beantwortet. Sende ihn noch einmal.",
  unknown:
    "Janus kennt diesen Befehl nicht. Vielleicht zeigt Discord einen alten: Lade Discord neu und versuche es noch einmal.",
};
