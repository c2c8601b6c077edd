/** In the bar of tools: the readers' lines, on or off. */
import { useStore } from "zustand";
import { toggleReader } from "../../adjudication/deciding";
import { judging } from "../../adjudication/store";
import { firstKey } from "../../commands";
import { t } from "../../words";
import { LineSample } from "./LineSample";

const MOST = 8;

export function Toggles() {
  const now = useStore(judging, (state) => state.now);
  const off = useStore(judging, (state) => state.off);
  if (!now) return null;
  return (
    <fieldset className="g readers" aria-label={t("Lines of the readers")}>
      {now.readers.slice(0, MOST).map(({ letter }) => {
        const key = firstKey(`adjudication.reader-${letter.toLowerCase()}`);
        const name = t("Lines of reader {letter}", { letter });
        return (
          <button
            key={letter}
            type="button"
            className="preset"
            aria-pressed={!off.includes(letter)}
            title={key ? `${name} (${key})` : name}
            aria-label={name}
            data-testid={`reader-${letter}`}
            onClick={() => toggleReader(letter)}
          >
            <LineSample letter={letter} />
            {letter}
          </button>
        );
      })}
    </fieldset>
  );
}
