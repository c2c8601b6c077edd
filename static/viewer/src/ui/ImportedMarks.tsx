/** Marks that came with the images: look at them, or take one that encloses pixels over as one's own. */
import { useState } from "react";
import type { Imported } from "../api/types";
import { copyImported, fetchImported } from "../marking";
import { sentenceOf } from "../session";
import { mayCopy, room } from "../store/room";
import { useRoom } from "./use";

export function ImportedMarks() {
  const imported = useRoom((state) => state.read?.imported);
  if (!imported?.length) return null;
  return (
    <section className="sec">
      <header>
        <h2>Came with the images</h2>
        <span className="end faint">
          <span className="antline" />
          dashed outline
        </span>
      </header>
      {imported.map((one) => (
        <Row key={one.id} imported={one} />
      ))}
    </section>
  );
}

function Row({ imported }: { imported: Imported }) {
  const shown = useRoom((state) => state.outlined.includes(imported.id));
  const may = useRoom((state) => mayCopy(state, imported));
  const label = useRoom((state) => state.read?.schema.labels.find((one) => one.key === imported.label)?.name);
  const ready = useRoom((state) => Boolean(state.manifests[imported.series]));
  const [problem, setProblem] = useState<string | null>(null);
  const attempt = (work: () => Promise<void>) => {
    setProblem(null);
    work().catch((error: unknown) => setProblem(sentenceOf(error)));
  };
  return (
    <div className="imp">
      <p>
        {label && <b>{label}</b>} <span className="sub">{imported.origin}</span>{" "}
        <span className="faint">
          {imported.slices} slice{imported.slices === 1 ? "" : "s"}
        </span>
      </p>
      <div className="row">
        <button
          type="button"
          className="btn s28"
          aria-pressed={shown}
          disabled={!ready}
          data-testid="outline-imported"
          onClick={() =>
            attempt(async () => {
              await fetchImported(imported);
              room.setState((state) => ({
                outlined: shown
                  ? state.outlined.filter((id) => id !== imported.id)
                  : [...state.outlined, imported.id],
              }));
            })
          }
        >
          {shown ? "Hide outline" : "Show outline"}
        </button>
        {may && (
          <button
            type="button"
            className="btn s28"
            disabled={!ready}
            data-testid="copy-imported"
            onClick={() => attempt(() => copyImported(imported))}
          >
            Copy into my marks
          </button>
        )}
      </div>
      {problem && <p className="emptysay bad">{problem}</p>}
    </div>
  );
}
