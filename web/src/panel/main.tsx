/** The page from disk: `jfrkit flame`, `diff` and `heatmap` write the data into it. */
import { render } from "preact";
import { useEffect, useState } from "preact/hooks";
import { EmbeddedSource, page, type PageJson } from "../data/embedded.ts";
import { clip, visible } from "../flame/text.ts";
import { Help, ThemeButton, typing } from "../ui/parts.tsx";
import { startTheme, useFragment } from "../ui/state.ts";
import { DiffPanel } from "./diff.tsx";
import { Heatmap } from "./heatmap.tsx";
import { Panel, PANEL_KEYS } from "./panel.tsx";

function Page({ data, source }: { data: PageJson; source: EmbeddedSource }) {
  const [help, setHelp] = useState(false);
  useEffect(() => {
    const listener = (event: KeyboardEvent): void => {
      if (event.key === "?" && !typing(event)) setHelp(true);
    };
    addEventListener("keydown", listener);
    return () => removeEventListener("keydown", listener);
  }, []);
  const types = data.types ?? [];
  return (
    <div class="page">
      <header class="top">
        <h1>
          <bdi>{clip(visible(data.title), 200)}</bdi>
        </h1>
        {data.subtitle && <p class="quiet">{clip(visible(data.subtitle), 300)}</p>}
        <span class="grow" />
        <span class="quiet maker">{clip(visible(data.generator), 60)}</span>
        <button class="plain icon" onClick={() => setHelp(true)} title="Keys (?)" aria-label="Keys">
          ?
        </button>
        <ThemeButton />
      </header>
      <main>
        {data.kind === "diff" ? (
          <DiffPanel source={source} a={{}} b={{}} types={types} labels={{ a: data.a?.label ?? "A", b: data.b?.label ?? "B" }} />
        ) : data.kind === "heatmap" && data.heatmap ? (
          <Heatmap source={source} of={data.heatmap} />
        ) : (
          <Panel source={source} selection={{}} types={types} />
        )}
      </main>
      {help && <Help keys={PANEL_KEYS} onClose={() => setHelp(false)} />}
    </div>
  );
}

const data = page();
if (data) {
  useFragment();
  startTheme();
  document.title = clip(visible(data.title), 200);
  const root = document.getElementById("root")!;
  root.textContent = "";
  render(<Page data={data} source={new EmbeddedSource(data)} />, root);
}
