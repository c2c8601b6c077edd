/**
 * <atlas-plot kind="…" data-plot="{json}">: a plot drawn from what the page says, in ink of the page's theme.
 *
 * The drawing stands in a shadow root, so reading the page again for news compares what the server said, not
 * what was drawn. A pointer shows the nearest value, so do the arrow keys; the page has the same as a table.
 */
import { drawBlandAltman, drawMatrix } from "./agreement";
import { drawDrift } from "./drift";
import { drawProgress } from "./progress";
import { type Draw, nearest, type Point } from "./shared";

// biome-ignore lint/suspicious/noExplicitAny: each kind takes what the server wrote for it
const KINDS: Record<string, Draw<any>> = {
  progress: drawProgress,
  drift: drawDrift,
  "bland-altman": drawBlandAltman,
  matrix: drawMatrix,
};
const WIDTH_LEAST_PX = 240;
const NEAR_PX = 40;

const LOOKS = `
:host { display: block; }
.stage { position: relative; outline: none; border-radius: var(--r); }
.stage:focus-visible { box-shadow: var(--focus); }
svg { display: block; overflow: visible; font-family: var(--font); font-variant-numeric: tabular-nums; }
svg text { white-space: pre; }
.spot { position: absolute; width: 9px; height: 9px; margin: -6px; border: 2px solid var(--accent); border-radius: 50%; pointer-events: none; }
.told { position: absolute; z-index: 1; pointer-events: none; background: var(--surface); color: var(--ink); border: 1px solid var(--line-strong); border-radius: var(--r); padding: 2px 8px; font: var(--t-12); white-space: nowrap; transform: translate(-50%, calc(-100% - 10px)); }
.told.below { transform: translate(-50%, 12px); }
[hidden] { display: none; }
`;
const sheet = new CSSStyleSheet();
sheet.replaceSync(LOOKS);

class AtlasPlot extends HTMLElement {
  private points: Point[] = [];
  private at = -1;
  private readonly stage = document.createElement("div");
  private readonly spot = document.createElement("i");
  private readonly told = document.createElement("output");
  private readonly seen = new ResizeObserver(() => this.draw());
  private width = 0;

  connectedCallback(): void {
    if (!this.shadowRoot) {
      const root = this.attachShadow({ mode: "open" });
      root.adoptedStyleSheets = [sheet];
      this.stage.className = "stage";
      this.stage.tabIndex = 0;
      this.stage.setAttribute("role", "group");
      this.spot.className = "spot";
      this.told.className = "told";
      this.stage.addEventListener("keydown", (event) => this.key(event));
      this.stage.addEventListener("pointermove", (event) => this.pointed(event));
      this.stage.addEventListener("pointerleave", () => this.show(-1));
      this.stage.addEventListener("blur", () => this.show(-1));
      this.stage.addEventListener("click", () => this.follow());
      root.append(this.stage);
    }
    this.seen.observe(this);
  }

  disconnectedCallback(): void {
    this.seen.disconnect();
  }

  private draw(): void {
    const width = Math.floor(this.clientWidth);
    if (width === this.width || width < WIDTH_LEAST_PX) return;
    const draw = KINDS[this.getAttribute("kind") ?? ""];
    if (!draw) return;
    this.width = width;
    const { svg, points } = draw(JSON.parse(this.dataset.plot ?? "{}"), width);
    // Plot writes a style element of its own, which the page's policy forbids; the sheet above stands in for it.
    for (const style of svg.querySelectorAll("style")) style.remove();
    // Nor do its parts need the names that it gives them: the picture has one as a whole.
    for (const part of svg.querySelectorAll("g[aria-label]")) part.removeAttribute("aria-label");
    svg.setAttribute("role", "img");
    this.stage.setAttribute("aria-label", svg.getAttribute("aria-label") ?? "");
    this.points = points;
    this.stage.replaceChildren(svg, this.spot, this.told);
    this.show(-1);
  }

  private show(at: number): void {
    this.at = at;
    const point = this.points[at];
    this.spot.hidden = this.told.hidden = !point;
    if (!point) return;
    this.told.textContent = point.text;
    this.spot.style.left = `${point.x}px`;
    this.spot.style.top = `${point.y}px`;
    this.told.classList.toggle("below", point.y < 40);
    const half = this.told.offsetWidth / 2;
    this.told.style.left = `${Math.min(Math.max(point.x, half), Math.max(this.width - half, half))}px`;
    this.told.style.top = `${point.y}px`;
    this.stage.style.cursor = point.href ? "pointer" : "";
  }

  private pointed(event: PointerEvent): void {
    const box = this.stage.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    const at = nearest(this.points, x, y);
    const point = this.points[at];
    this.show(point && Math.hypot(point.x - x, point.y - y) <= NEAR_PX ? at : -1);
  }

  private key(event: KeyboardEvent): void {
    const last = this.points.length - 1;
    const places: Record<string, number> = {
      ArrowRight: Math.min(this.at + 1, last),
      ArrowLeft: Math.max(this.at - 1, 0),
      Home: 0,
      End: last,
    };
    if (event.key in places) {
      event.preventDefault();
      this.show(places[event.key]);
    } else if (event.key === "Enter") {
      this.follow();
    } else if (event.key === "Escape") {
      this.show(-1);
    }
  }

  private follow(): void {
    const href = this.points[this.at]?.href;
    if (href) location.assign(href);
  }
}

customElements.define("atlas-plot", AtlasPlot);
