/** The Swedish of the error pages. The placeholders are those of `en/pages.ts`. */
import type { ErrorText, ErrorTexts } from "../en/errors.ts";

const AGAIN = "Om det händer igen kan du kontakta {platform}. Uppge då referensen nedan.";
const LATER = "Försök igen om en minut.";
const FROM_START = "Gå till startsidan och försök igen därifrån.";
const NOTHING_LOST = "Inget har gått förlorat.";
const NO_USABLE_REPLY = `Janus försökte få kontakt men fick inget användbart svar. ${NOTHING_LOST}`;
const MAYBE_LINKED = "Dina konton kanske redan är kopplade. Gå till Min sida och kontrollera.";

const PROVIDER_FAULT: ErrorText = {
  title: "Inloggningen hos {platform} är felkonfigurerad",
  why: "Det beror inte på dig, och inget har ändrats.",
  now: "Kontakta {platform} och uppge referensen nedan. Det hjälper inte att försöka igen förrän felet är åtgärdat.",
};

/** The Swedish texts of the error pages. */
export const errorsSv: ErrorTexts = {
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
    now: "Vänta en stund och börja sedan om. Om det fortfarande inte går efter en halvtimme kan du kontakta {platform}. Uppge då referensen nedan.",
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
    now: `${LATER} Om sidan fortfarande visas efter några minuter kan du kontakta {platform}.`,
  },
};
