/**
 * What Janus learns about a pooler before the database: it may take no settings, and may lose prepared statements.
 * From then on Janus works without them, and tells the operator once.
 */
import type { Settings } from "./connect.ts";
import { PLAIN_SETTINGS, SETTINGS } from "./connect.ts";
import { isStatementLost, refusesSettings } from "./failures.ts";

/** Called once for each thing that an operator should know about a database that works. */
export type Notice = (reason: string) => void;

/** What has been learnt so far. */
export type Habits = {
  /** What a new connection begins with. */
  readonly settings: () => Settings;
  readonly isPrepared: () => boolean;
  /**
   * Learns that a connection was refused. A pooler may take no settings: then those of the role hold. True where another
   * try may help.
   */
  readonly mayDoWithout: (refused: Settings, error: unknown) => boolean;
  /** Learns that a connection works. The operator is told once if it works without our settings. */
  readonly tellSettings: (taken: Settings) => void;
  /** Learns of a statement that a pooler has lost. The driver sends it again, at three times the messages. */
  readonly tellLost: (error: unknown) => void;
};

/** Assumes a PostgreSQL without a pooler at first. */
export function createHabits(prepare: boolean, notice: Notice): Habits {
  let settings = SETTINGS;
  let isPrepared = prepare;
  let isTold = false;
  return {
    settings: () => settings,
    isPrepared: () => isPrepared,
    mayDoWithout: (refused, error) => {
      if (!refusesSettings(error)) return false;
      const isOurs = refused === SETTINGS;
      // Refused without ours as well: it is a setting of DATABASE_URL or of the role.
      settings = isOurs ? PLAIN_SETTINGS : SETTINGS;
      return isOurs;
    },
    tellSettings: (taken) => {
      if (taken === SETTINGS || isTold) return;
      isTold = true;
      notice("a pooler takes no settings: those of the role hold");
    },
    tellLost: (error) => {
      if (!isPrepared || !isStatementLost(error)) return;
      isPrepared = false;
      notice("a pooler loses prepared statements: set DATABASE_PREPARE=false");
    },
  };
}
