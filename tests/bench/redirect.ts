/** The least that a redirect can cost in a handler of `Bun.serve`: one constant answer. `/linked-role` is measured against it. */
Bun.serve({
  hostname: "127.0.0.1",
  port: Number(process.env.PORT),
  fetch: () =>
    new Response(null, { status: 302, headers: { location: "https://discord.com/oauth2/authorize" } }),
});
