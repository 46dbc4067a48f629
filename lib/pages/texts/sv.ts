/** What the pages say, in Swedish. Called by `parts.tsx` alone; the shape and the placeholders are those of `en.ts`. */
import type { ErrorText, Texts } from "./en.ts";

const AGAIN = "Kontakta {platform} om det händer igen.";
const LATER = "Försök igen om en minut.";
const FROM_START = "Gå till startsidan och börja därifrån.";
const NOTHING_LOST = "Inget har gått förlorat eller tagits bort.";
const MAYBE_DONE = "Dina konton kan redan vara kopplade: se din koppling för att kontrollera.";

const PROVIDER_FAULT: ErrorText = {
  title: "Inloggningen hos {platform} är felinställd",
  why: "Du har inte gjort något fel och inget har ändrats.",
  now: "Kontakta {platform} och uppge referensen här nedanför. Innan felet är rättat hjälper det inte att försöka igen.",
};

/** The Swedish texts. */
export const sv: Texts = {
  link: "Länka (Link)",
  buttons: {
    linkAccount: "Koppla mitt konto",
    backToDiscord: "Tillbaka till Discord",
    tryAgain: "Försök igen",
    startAgain: "Börja om",
    toStart: "Gå till startsidan",
    move: "Flytta kopplingen",
    leave: "Låt det vara som det är",
    seeLink: "Se eller ta bort din koppling",
    toAccount: "Ditt konto här",
    signIn: "Logga in med Discord",
    checkLink: "Se din koppling",
  },
  home: {
    title: "Få dina roller på Discord",
    lead: "Koppla ihop ditt Discordkonto med ditt konto hos {platform}, så får du de roller på Discord som du har rätt till.",
  },
  linked: {
    title: "Dina konton är kopplade",
    now: "Ett steg återstår: gå tillbaka till Discord och tryck på {link} där. Först då ger Discord dig rollen.",
    later:
      "Discord tog inte emot uppdateringen just nu, men kopplingen är sparad och Janus försöker igen av sig självt. Det enda du behöver göra är att trycka på {link} i Discord om en stund.",
    earlierRole:
      "Ditt andra Discordkonto förlorar snart sin roll. Om det har kvar rollen i morgon, logga in på Discord med det kontot, öppna Användarinställningar, sedan Auktoriserade appar (Authorized Apps), och återkalla appens åtkomst.",
  },
  cancelled: {
    discordTitle: "Du avbröt hos Discord",
    lead: "Det är helt i sin ordning: inget har kopplats eller ändrats. Stäng sidan, eller försök igen när du vill.",
    providerTitle: "Du eller {platform} sa nej",
    providerWhy:
      "Antingen avbröt du, eller så släppte {platform} inte in dig. Inget har kopplats eller ändrats.",
    providerNow:
      "Om du avbröt kan du försöka igen när du vill. Annars kan du fråga {platform} varför och uppge referensen här nedanför.",
  },
  conflict: {
    title: "Vill du flytta kopplingen?",
    signedIn: "Du har just loggat in med de här kontona:",
    organisationTaken:
      "Ditt konto hos {platform} är redan kopplat till ett annat Discordkonto, {other}. Om du flyttar kopplingen förlorar det Discordkontot de roller som det har fått genom {platform}.",
    discordTaken:
      "Ditt Discordkonto är redan kopplat till ett annat konto hos {platform}, {other}. Om du flyttar kopplingen är det kontot inte längre kopplat.",
    discordTakenUnnamed:
      "Ditt Discordkonto är redan kopplat till ett annat konto hos {platform}. Om du flyttar kopplingen är det kontot inte längre kopplat.",
  },
  unnamedAccount: "Kontot som du loggade in med",
  requestId: "Referens",
  errors: {
    callback_malformed: {
      title: "Sidans adress är inte fullständig",
      why: "En del som skulle ha kommit från Discord eller {platform} saknas eller har ändrats.",
      now: "Börja om från början.",
    },
    authorization_rejected: {
      title: "Inloggningen godtogs inte",
      why: "Discord eller {platform} svarade att det inte går att logga in dig här.",
      now: `Börja om. ${AGAIN}`,
    },
    code_rejected: {
      title: "Inloggningen kunde inte slutföras",
      why: "Den var redan använd eller tog för lång tid. Det kan hända när en sida laddas om.",
      now: `${MAYBE_DONE} Börja annars om.`,
    },
    scope_missing: {
      title: "En behörighet saknas",
      why: "Janus fick inte alla behörigheter som behövs för att koppla dina konton.",
      now: "Börja om och godkänn allt som du blir tillfrågad om.",
    },
    unauthenticated: {
      title: "Du är inte inloggad",
      why: "Sidan är till för den som har loggat in. En inloggning upphör efter en tid, och när du loggar ut eller tar bort kopplingen.",
      now: "Logga in med Discord för att fortsätta.",
    },
    state_mismatch: {
      title: "Janus känner inte igen inloggningen",
      why: "Om du laddade om en färdig sida kan dina konton redan vara kopplade. Om du började i en annan webbläsare kan inloggningen inte fortsätta här.",
      now: "Se din koppling för att kontrollera. Om det inte finns någon, börja om här med kakor tillåtna.",
    },
    flow_expired: {
      title: "Inloggningen tog för lång tid",
      why: "För din säkerhet gäller en påbörjad inloggning bara en kort stund.",
      now: `${MAYBE_DONE} Börja annars om.`,
    },
    flow_finished: {
      title: "Inloggningen är redan klar",
      why: "Sidan laddades om eller öppnades igen, eller så tryckte du på en knapp två gånger. Dina konton kan redan vara kopplade.",
      now: "Se din koppling för att kontrollera. Om det inte finns någon, börja om.",
    },
    issuer_mismatch: {
      title: "Svaret kom från fel ställe",
      why: "Janus kunde inte vara säkert på vem som hade svarat och stannade för din säkerhet.",
      now: `Börja om. ${AGAIN}`,
    },
    origin_refused: {
      title: "Formuläret skickades någon annanstans ifrån",
      why: "För din säkerhet tar Janus bara emot formulär från sina egna sidor. Inget har ändrats.",
      now: FROM_START,
    },
    prefetch_refused: {
      title: "Din webbläsare öppnade sidan i förväg",
      why: "Det gör den för att spara tid, men Janus väntar tills du själv ber om sidan. Inget har ändrats.",
      now: "Ladda om sidan för att fortsätta.",
    },
    grant_ended: {
      title: "Ditt godkännande hos Discord har upphört",
      why: "Discord låter inte längre Janus agera för dig, kanske för att du har tagit bort det bland dina auktoriserade appar.",
      now: "Börja om för att godkänna det igen.",
    },
    not_found: {
      title: "Sidan finns inte",
      why: "Adressen kan vara felstavad eller gammal.",
      now: "Gå till startsidan för att koppla ditt konto.",
    },
    not_linked: {
      title: "Dina konton är inte kopplade",
      why: "Det finns ingen koppling att göra detta med. Kanske har du redan tagit bort den.",
      now: "Gå till startsidan om du vill koppla dina konton.",
    },
    session_unknown: {
      title: "Den inloggningen finns inte",
      why: "Ingen av dina inloggningar är den som du frågade efter. Den är nog redan avslutad.",
      now: "Gå tillbaka till ditt konto för att se dem som finns kvar.",
    },
    sync_too_soon: {
      title: "Du har nyss bett om det",
      why: "För att inte belasta Discord gör Janus detta högst en gång i minuten för varje medlem.",
      now: "Vänta en minut och försök sedan igen från ditt konto.",
    },
    method_not_allowed: {
      title: "Sidan går inte att öppna direkt",
      why: "Den är ett steg på vägen och fungerar bara när du kommer från steget före.",
      now: FROM_START,
    },
    request_too_large: {
      title: "För mycket skickades",
      why: "Det som din webbläsare skickade var större än vad Janus tar emot.",
      now: FROM_START,
    },
    request_timeout: {
      title: "Din webbläsare skickade inte klart",
      why: "Det som den började skicka kom inte fram. Anslutningen kan vara dålig.",
      now: FROM_START,
    },
    too_many_requests: {
      title: "För många förfrågningar på en gång",
      why: "Väldigt många förfrågningar har kommit från ditt nätverk på kort tid, och Janus tar en kort paus från det.",
      now: "Vänta en minut och börja sedan om från startsidan.",
    },
    internal: {
      title: "Något gick fel i Janus",
      why: "Du har inte gjort något fel. Felet har skrivits i loggen.",
      now: `${LATER} ${AGAIN}`,
    },
    token_unreadable: {
      title: "Din sparade inloggning går inte att öppna",
      why: "Janus förvarar inloggningar inlåsta, och nyckeln passar inte längre till din.",
      now: `Börja om, så ersätts den av en ny inloggning. ${AGAIN}`,
    },
    id_token_refused: {
      title: "Inloggningen hos {platform} kunde inte bekräftas",
      why: "Janus kunde inte försäkra sig om att svaret stämde, så inget har kopplats.",
      now: `Börja om. ${AGAIN}`,
    },
    id_token_unsupported: PROVIDER_FAULT,
    userinfo_refused: {
      title: "{platform} gav två olika svar",
      why: "De handlade om två olika personer, så inget har kopplats.",
      now: `Logga ut hos {platform} och börja om. ${AGAIN}`,
    },
    provider_misconfigured: PROVIDER_FAULT,
    provider_client_rejected: PROVIDER_FAULT,
    discord_client_rejected: {
      title: "Inloggningen hos Discord är felinställd",
      why: PROVIDER_FAULT.why,
      now: PROVIDER_FAULT.now,
    },
    discord_refused: {
      title: "Discord sa nej",
      why: "Discord godtog inte det som Janus bad om.",
      now: `Börja om. ${AGAIN}`,
    },
    provider_unavailable: {
      title: "{platform} svarar inte just nu",
      why: NOTHING_LOST,
      now: LATER,
    },
    discord_unavailable: {
      title: "Discord svarar inte just nu",
      why: NOTHING_LOST,
      now: LATER,
    },
    discord_rate_limited: {
      title: "Discord ber oss vänta",
      why: `Det har fått för många frågor på kort tid. ${NOTHING_LOST}`,
      now: "Vänta några minuter och försök sedan igen.",
    },
    grant_ending: {
      title: "En tidigare inloggning håller på att avslutas",
      why: "Discord skulle avsluta en ny inloggning på samma gång.",
      now: "Vänta en minut och börja sedan om.",
    },
    database_unavailable: {
      title: "Janus är inte redo just nu",
      why: `Det kommer inte åt det som är sparat. ${NOTHING_LOST}`,
      now: LATER,
    },
    too_busy: {
      title: "Janus har väldigt mycket att göra just nu",
      why: NOTHING_LOST,
      now: LATER,
    },
    database_not_migrated: {
      title: "Janus håller på att uppdateras",
      why: NOTHING_LOST,
      now: `${LATER} Kontakta {platform} om sidan finns kvar även då.`,
    },
  },
};
