/**
 * The pages of the stand-ins: a template that escapes by itself and one plain frame, without a script.
 * Every page says that it is a stand-in, so that nobody takes it for the real thing.
 */

/** Markup that is safe to send. Only `html` makes it. */
export type Markup = { readonly markup: string };

/** Builds markup; every value is escaped unless it is markup itself. */
export function html(parts: TemplateStringsArray, ...values: readonly Slot[]): Markup {
  return { markup: parts.reduce((text, part, index) => text + render(values[index - 1]) + part) };
}

/** A whole page in the frame of this stand-in. */
export function page(
  frame: {
    readonly title: string;
    readonly standsFor: string;
    readonly status?: number;
  },
  content: Markup,
): Response {
  const { markup } = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${frame.title}</title>
<style>${STYLE}</style>
</head>
<body>
<header>Local stand-in for ${frame.standsFor}. Nothing here leaves this machine.</header>
<main>
<h1>${frame.title}</h1>
${content}
</main>
</body>
</html>
`;
  return new Response(markup, {
    status: frame.status ?? 200,
    headers: { "content-type": "text/html; charset=utf-8", "cache-control": "no-store" },
  });
}

type Slot = Markup | readonly Markup[] | string | number | undefined;

const STYLE: Markup = {
  markup: `:root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif;--line:light-dark(#c9ced6,#424754);--muted:light-dark(#545b66,#a8afbd);--accent:light-dark(#4650c8,#a9b3ff);--on-accent:light-dark(#fff,#14172b);--no:light-dark(#a40e26,#ff9ba4);--yes:light-dark(#116329,#7ddba3)}
*{box-sizing:border-box}
body{margin:0;background:light-dark(#f3f4f6,#14161b);color:light-dark(#1f2328,#eceef3);overflow-wrap:anywhere}
header{padding:.5rem 1rem;background:#3d2c00;color:#fff3d0;text-align:center}
main{max-width:38rem;margin:2rem auto;padding:1.5rem 2rem;background:light-dark(#fff,#1d2027);border:1px solid var(--line);border-radius:.75rem}
h1{margin:0 0 .75rem;font-size:1.5rem;line-height:1.25}
h2{margin:2rem 0 .5rem;font-size:1.2rem}
h3{margin:0 0 .5rem;font-size:1.05rem}
p{margin:0 0 .75rem}
small{color:var(--muted);font-size:.9rem;font-weight:400}
a:not(.button){color:var(--accent)}
label{display:block;margin:.75rem 0 .25rem;font-weight:600}
input{width:100%;padding:.6rem;border:1px solid var(--muted);border-radius:.5rem;background:light-dark(#fff,#14161b);color:inherit;font:inherit}
button,.button{display:block;width:100%;margin:.75rem 0 0;padding:.7rem;border:1px solid var(--accent);border-radius:.5rem;background:var(--accent);color:var(--on-accent);font:inherit;font-weight:600;text-align:center;text-decoration:none;cursor:pointer}
button.quiet{border-color:var(--muted);background:none;color:inherit}
:is(a,button,input):focus-visible{outline:3px solid var(--accent);outline-offset:2px}
.card{margin:.75rem 0;padding:1rem;border:1px solid var(--line);border-radius:.5rem}
.card>:last-child{margin-bottom:0}
ol{padding-left:1.5rem}
ol li+li{margin-top:1.5rem}
ul{padding-left:1.5rem}
.role{display:inline-block;padding:0 .5rem;border:1px solid var(--line);border-radius:.4rem;font-weight:600;white-space:nowrap}
.role::before{content:"";display:inline-block;width:.6rem;height:.6rem;margin-right:.35rem;border-radius:50%;background:var(--yes)}
.avatar{border-radius:50%;vertical-align:middle}
table{width:100%;border-collapse:collapse;font-size:.95rem}
th,td{padding:.4rem .5rem;border-bottom:1px solid var(--line);text-align:left;vertical-align:top}
tbody tr:last-child>*{border-bottom:0}
th[scope=row]{width:40%;font-weight:400;color:var(--muted)}
.error{padding:.6rem .75rem;border:1px solid var(--no);border-radius:.5rem;color:var(--no)}
.yes{color:var(--yes);font-weight:600}
@media(max-width:30rem){main{margin:0 auto;padding:1.25rem 1rem;border-width:0 0 1px;border-radius:0}}`,
};

function render(value: Slot): string {
  if (value === undefined) return "";
  if (typeof value === "object") {
    return "markup" in value ? value.markup : value.map((item) => item.markup).join("");
  }
  return Bun.escapeHTML(String(value));
}
