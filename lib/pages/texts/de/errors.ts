/**
 * The German of the error pages. The placeholders are those of `en/pages.ts`.
 *
 * Unreviewed: no native speaker has read these texts yet.
 */
import type { ErrorText, ErrorTexts } from "../en/errors.ts";

const AGAIN = "Wenn es wieder passiert, wende dich an {platform} und gib die Anfrage-ID unten an.";
const LATER = "Versuche es in einer Minute noch einmal.";
const FROM_START = "Geh zur Startseite und versuche es von dort noch einmal.";
const NOTHING_LOST = "Es ist nichts verloren gegangen.";
const NO_USABLE_REPLY = `Janus hat eine Anfrage geschickt, aber keine brauchbare Antwort bekommen. ${NOTHING_LOST}`;
const MAYBE_LINKED = "Deine Konten sind vielleicht schon verknüpft. Sieh in deinem Konto nach.";
const START_AGAIN = "Wenn sie nicht verknüpft sind, beginne neu.";

const PROVIDER_FAULT: ErrorText = {
  title: "Die Anmeldung bei {platform} ist falsch eingerichtet",
  why: "Das liegt nicht an dir, und es wurde nichts geändert.",
  now: "Wende dich an {platform} und gib die Anfrage-ID unten an. Ein neuer Versuch hilft erst, wenn der Fehler behoben ist.",
};

/** The German texts of the error pages. */
export const errorsDe: ErrorTexts = {
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
    now: "Warte eine Weile und beginne dann neu. Wenn es nach einer halben Stunde immer noch nicht geht, wende dich an {platform} und gib die Anfrage-ID unten an.",
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
    now: `${LATER} Wenn du diese Seite nach ein paar Minuten immer noch siehst, wende dich an {platform}.`,
  },
};
