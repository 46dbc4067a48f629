/** The part of oidc-provider that the stand-in uses; the package brings no types of its own. */
declare module "oidc-provider" {
  import type { IncomingMessage, ServerResponse } from "node:http";

  export type InteractionDetails = {
    readonly uid: string;
    readonly prompt: { readonly name: string };
    readonly params: Readonly<Record<string, string | undefined>>;
    readonly session?: { readonly accountId?: string; readonly cookie: string; uid?: string };
    /** In seconds since 1970. */
    readonly exp: number;
    save(ttlSeconds: number): Promise<string>;
  };

  export type InteractionResult = {
    readonly login?: { readonly accountId: string };
    readonly consent?: { readonly grantId: string };
    readonly error?: string;
    readonly error_description?: string;
  };

  export class Provider {
    constructor(issuer: string, configuration: object);
    readonly Grant: new (input: {
      readonly accountId: string;
      readonly clientId: string;
    }) => { readonly addOIDCScope: (scope: string) => void; readonly save: () => Promise<string> };
    readonly Client: {
      find(
        clientId: string,
      ): Promise<{ backchannelLogout(sub: string, sid: string): Promise<void> } | undefined>;
    };
    callback(): (request: IncomingMessage, response: ServerResponse) => Promise<void>;
    interactionDetails(request: IncomingMessage, response: ServerResponse): Promise<InteractionDetails>;
    interactionFinished(
      request: IncomingMessage,
      response: ServerResponse,
      result: InteractionResult,
      options?: { readonly mergeWithLastSubmission?: boolean },
    ): Promise<void>;
    on(event: "server_error", listener: (context: unknown, error: Error) => void): this;
  }
}
