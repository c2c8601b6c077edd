/** What each button and the wheel do. */
import { RotateCcw, TriangleAlert } from "lucide-react";
import { useState } from "react";
import { useStore } from "zustand";
import { MOUSE_PARTS, type Mouse, mouseNow, mouseProblem } from "../mouse";
import { kept, preferences } from "../preferences";
import { t } from "../words";

export function MouseEditor() {
  useStore(kept, (state) => state.mouse);
  const now = mouseNow();
  const [problem, setProblem] = useState<string | null>(null);
  const choose = (part: keyof Mouse, act: string) => {
    const changed = { ...now, [part]: act } as Mouse;
    const why = mouseProblem(changed);
    setProblem(why);
    if (why === null) preferences.set("mouse", changed);
  };
  return (
    <div className="prefsmouse">
      {MOUSE_PARTS.map(({ part, title, acts }) => (
        <label key={part} className="row">
          <span className="prefsname">{title}</span>
          <select
            className="pickbox"
            value={now[part]}
            data-testid={`mouse-${part}`}
            onChange={(event) => choose(part, event.target.value)}
          >
            {acts.map(([act, name]) => (
              <option key={act} value={act}>
                {name}
              </option>
            ))}
          </select>
        </label>
      ))}
      {problem && (
        <p className="row small warn" role="alert">
          <TriangleAlert size={14} aria-hidden="true" />
          {problem}
        </p>
      )}
      <button
        type="button"
        className="btn s28 quiet"
        onClick={() => {
          setProblem(null);
          preferences.set("mouse", null);
        }}
      >
        <RotateCcw size={14} aria-hidden="true" />
        {t("As usual")}
      </button>
    </div>
  );
}
