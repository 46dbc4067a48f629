/**
 * Ids of Discord as people copy them: of members, servers and applications. They are 64-bit numbers, and have had 17 digits or
 * more since Discord was opened. https://docs.discord.com/developers/reference#snowflakes
 */

/** What such an id is, for a message. */
export const DISCORD_ID_FORM = "17 to 20 digits";

/** Whether a text may be one. */
export const isDiscordId = (text: string): boolean => /^[1-9][0-9]{16,19}$/.test(text);
