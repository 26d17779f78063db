/** The table of functions. */
import { useEffect, useState } from "preact/hooks";
import { count, percent, plural, value as show } from "../flame/format.ts";
import { isNoise } from "../flame/noise.ts";
import { clip, split, visible } from "../flame/text.ts";
import type { DiffRow, Row } from "../flame/table.ts";
import { Choice } from "../ui/parts.tsx";
import { changeParts } from "./graph.tsx";

const FIRST = 200;

export function FunctionTable(props: {
  rows: Row[];
  count: number;
  /** How many rows the page has, and how many there are, if it has only the first. */
  cut?: [number, number];
  total: number;
  unit: string;
  by: string;
  sort: string;
  filter: string;
  searched: string;
  compact: boolean;
  /** How values are shown, if not as totals in their unit. */
  format?: (n: number) => string;
  bys: string[];
  onSort: (sort: string) => void;
  onBy: (by: string) => void;
  onFilter: (filter: string) => void;
  onHover: (name: string | null) => void;
  onSearch: (name: string) => void;
  onOpen: (name: string) => void;
}) {
  const { rows, total, unit } = props;
  const format = props.format ?? ((n: number) => show(n, unit));
  const [all, setAll] = useState(false);
  useEffect(() => setAll(false), [props.by, props.filter, props.sort]);
  const shown = all ? rows : rows.slice(0, FIRST);
  const samples = rows.some((row) => row.samples !== undefined);
  const head = (key: string, text: string, number = true, extra = "") => {
    const down = props.sort === `-${key}`;
    const up = props.sort === key;
    return (
      <th scope="col" class={number ? `number ${extra}` : ""} aria-sort={down ? "descending" : up ? "ascending" : "none"}>
        <button class="plain" onClick={() => props.onSort(down || (!up && !number) ? key : `-${key}`)}>
          {text}
          <span aria-hidden="true" class="sort">
            {down ? "▾" : up ? "▴" : ""}
          </span>
        </button>
      </th>
    );
  };
  const most = Math.max(...shown.map((row) => (props.sort.endsWith("total") ? row.total : row.self)), 1);
  return (
    <section class="functions" aria-label="Table">
      <div class="row tight">
        {props.bys.length > 1 && (
          <select aria-label="Rows by" value={props.by} onChange={(e) => props.onBy(e.currentTarget.value)}>
            {props.bys.map((key) => (
              <option key={key} value={key}>
                by {key}
              </option>
            ))}
          </select>
        )}
        <input
          type="search"
          placeholder="filter rows"
          aria-label="Filter rows"
          value={props.filter}
          onInput={(e) => props.onFilter(e.currentTarget.value)}
        />
      </div>
      <div class="scroll" tabIndex={0} role="region" aria-label="Rows of the table">
        <table class="data">
          <thead>
            <tr>
              {head("key", props.by === "function" ? "Function" : props.by[0]!.toUpperCase() + props.by.slice(1), false)}
              {head("self", "Self")}
              {head("total", "Total")}
              {samples && !props.compact && head("samples", "Samples", true, "samples")}
            </tr>
          </thead>
          <tbody onMouseLeave={() => props.onHover(null)}>
            {shown.map((row) => (
              <tr
                key={row.kind + row.key}
                class={row.key === props.searched ? "on" : ""}
                onMouseEnter={() => props.onHover(row.key)}
                onClick={() => props.onSearch(row.key)}
              >
                <td class="name">
                  <button
                    class="plain"
                    title={clip(visible(row.key), 1000)}
                    onFocus={() => props.onHover(row.key)}
                    onKeyDown={(e) => {
                      if (e.key === "Enter" && props.by === "function") {
                        e.preventDefault();
                        props.onOpen(row.key);
                      }
                    }}
                    onDblClick={() => props.by === "function" && props.onOpen(row.key)}
                  >
                    <Name name={row.key} kind={row.kind} />
                  </button>
                </td>
                <td class="number bar-cell">
                  {!props.sort.endsWith("total") && <Gauge share={row.self / most} />}
                  <span>{format(row.self)}</span> <span class="share">{percent(row.self / (total || 1), true)}</span>
                </td>
                <td class="number bar-cell">
                  {props.sort.endsWith("total") && <Gauge share={row.total / most} />}
                  <span>{format(row.total)}</span> <span class="share">{percent(row.total / (total || 1), true)}</span>
                </td>
                {samples && !props.compact && <td class="number samples">{row.samples === undefined ? "–" : count(row.samples)}</td>}
              </tr>
            ))}
          </tbody>
        </table>
        {rows.length === 0 && <p class="note">{props.filter ? "No rows match the filter." : "No rows."}</p>}
      </div>
      <p class="quiet foot">
        {props.cut && (props.filter ? `${count(props.count)} of ` : "") + `the first ${count(props.cut[0])} of `}
        {plural(props.cut ? props.cut[1] : props.count, props.by === "function" ? "function" : "row")}
        {shown.length < props.count && `, ${count(shown.length)} shown `}
        {shown.length < rows.length && (
          <button class="small" onClick={() => setAll(true)}>
            Show {count(rows.length)}
          </button>
        )}
      </p>
    </section>
  );
}

/** A bar behind a number. Its width is set by script: the policy of the page allows no style attributes in markup. */
export function Gauge({ share, tone = "" }: { share: number; tone?: string }) {
  return <i class={`gauge ${tone}`} aria-hidden="true" style={{ "--share": String(Math.max(0, Math.min(1, share))) }} />;
}

/** A name whose package is dimmed, and truncated first. */
export function Name({ name, kind }: { name: string; kind: string }) {
  const shown = visible(clip(name, 600));
  const { home, rest } = split(shown, kind);
  const prefix = home && shown.endsWith(rest) ? shown.slice(0, shown.length - rest.length) : "";
  return (
    <bdi class="split" dir="ltr">
      {prefix && <span class="home">{prefix}</span>}
      <span>{prefix ? rest : shown}</span>
    </bdi>
  );
}

/** The table of a comparison. */
export function DiffTable(props: {
  rows: DiffRow[];
  format: (n: number) => string;
  labels: { a: string; b: string };
  noise: boolean;
  scale: { a: number; b: number };
  /** What one sample is worth in A and in B, as it is shown. */
  worth: [number, number];
  /** How many functions there are; `rows` has those with the largest change. */
  count: number;
  sort: string;
  filter: string;
  onSort: (sort: string) => void;
  onFilter: (filter: string) => void;
  /** Whether to compare what functions do themselves, without what they call. */
  own: boolean;
  onOwn: (own: boolean) => void;
  onHover: (name: string | null) => void;
  onSearch: (name: string) => void;
}) {
  const sort = props.sort === "a" || props.sort === "b" ? props.sort : "change";
  const [all, setAll] = useState(false);
  const { a: sa, b: sb } = props.scale;
  const [wa, wb] = props.worth;
  const rows = props.rows
    .filter((row) => row.key.toLowerCase().includes(props.filter.toLowerCase()))
    .map((row) => {
      const [a, b] = props.own ? [row.self_a / sa, row.self_b / sb] : [row.a / sa, row.b / sb];
      return { ...row, a, b, noise: (props.own ? undefined : row.noise) ?? isNoise(a, wa, b, wb) };
    })
    .filter((row) => (props.noise || !row.noise) && (row.a > 0 || row.b > 0))
    .sort((x, y) => (sort === "change" ? Math.abs(y.b - y.a) - Math.abs(x.b - x.a) : y[sort] - x[sort]));
  const shown = all ? rows : rows.slice(0, FIRST);
  const most = Math.max(...shown.map((row) => Math.abs(row.b - row.a)), 1e-12);
  const head = (key: "change" | "a" | "b", text: string) => (
    <th scope="col" class={key === "change" ? "number" : "number of-side"} aria-sort={sort === key ? "descending" : "none"}>
      <button class="plain" onClick={() => props.onSort(key)}>
        {text}
        <span aria-hidden="true" class="sort">
          {sort === key ? "▾" : ""}
        </span>
      </button>
    </th>
  );
  return (
    <section class="functions" aria-label="Table of differences">
      <div class="row tight">
        <Choice<"total" | "self">
          label="Values of functions"
          of={[["total", "Total"], ["self", "Self"]]}
          at={props.own ? "self" : "total"}
          on={(to) => props.onOwn(to === "self")}
        />
        <input type="search" placeholder="filter rows" aria-label="Filter rows" value={props.filter} onInput={(e) => props.onFilter(e.currentTarget.value)} />
      </div>
      <div class="scroll" tabIndex={0} role="region" aria-label="Rows of the table">
        <table class="data">
          <thead>
            <tr>
              <th scope="col">Function</th>
              {head("a", "A")}
              {head("b", "B")}
              {head("change", "Change")}
              <th scope="col" class="number">
                Change %
              </th>
            </tr>
          </thead>
          <tbody onMouseLeave={() => props.onHover(null)}>
            {shown.map((row) => (
              <tr key={row.kind + row.key} class={row.noise ? "noise" : ""} onMouseEnter={() => props.onHover(row.key)} onClick={() => props.onSearch(row.key)}>
                <td class="name">
                  <button class="plain" title={clip(visible(row.key), 1000)}>
                    <Name name={row.key} kind={row.kind} />
                  </button>
                </td>
                <td class="number of-side">{props.format(row.a)}</td>
                <td class="number of-side">{props.format(row.b)}</td>
                <td class="number bar-cell">
                  <Gauge share={Math.abs(row.b - row.a) / most} tone={row.noise ? "neutral" : row.b > row.a ? "more" : "less"} />
                  <span>{changeParts(row.a, row.b, props.format)[0]}</span>
                </td>
                <td class="number">{row.noise ? "noise" : changeParts(row.a, row.b, props.format)[1]}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p class="quiet foot">
        {plural(rows.length, "function")}
        {props.count > props.rows.length && ` of the ${count(props.rows.length)} that changed most, out of ${count(props.count)}`}
        {shown.length < rows.length && `, ${count(shown.length)} shown `}
        {shown.length < rows.length && (
          <button class="small" onClick={() => setAll(true)}>
            Show all
          </button>
        )}
      </p>
    </section>
  );
}
