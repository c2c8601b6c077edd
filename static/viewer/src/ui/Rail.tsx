/** The case's time points, to scale, and the series of each. */
import { Columns2, TriangleAlert } from "lucide-react";
import type { StudyRow } from "../api/types";
import { firstKey } from "../commands";
import { compareWith, LETTERS, studyBeside } from "../panes";
import { openSeries } from "../session";
import { room, shownPanes } from "../store/room";
import { t, tn } from "../words";
import { Lesions } from "./adjudication/Lesions";
import { useRoom } from "./use";
import { dateText } from "./words";

const ROW_PX = 40;
const LINE_PX = 190;

/** Newest on top, distances to scale but never so close that two rows overlap. */
export function timeline(studies: StudyRow[]): { study: StudyRow; top: number; gap: number | null }[] {
  const newest = [...studies].sort((a, b) => (b.days_from_first ?? 0) - (a.days_from_first ?? 0));
  const days = newest.map((study) => study.days_from_first ?? 0);
  const span = (days[0] ?? 0) - (days.at(-1) ?? 0) || 1;
  const room = Math.min(LINE_PX, (newest.length - 1) * 84);
  let top = 0;
  return newest.map((study, i) => {
    const gap = i ? days[i - 1] - days[i] : null;
    if (gap !== null) top += Math.max(ROW_PX + 18, (gap / span) * room);
    return { study, top, gap };
  });
}

export function Rail() {
  const read = useRoom((state) => state.read);
  const panes = useRoom((state) => state.panes);
  const layout = useRoom((state) => state.layout);
  const active = useRoom((state) => state.active);
  if (!read) return <nav className="rail" />;
  const rows = timeline(read.studies);
  const height = (rows.at(-1)?.top ?? 0) + ROW_PX;
  const letterOf = (series: string): string | null => {
    const at = shownPanes({ layout }).map((i) => (panes[i].series === series ? LETTERS[i] : ""));
    return at.join("") || null;
  };
  const current = rows.find(({ study }) => study.series.some((one) => one.id === panes[active].series));
  const beside = studyBeside(read.studies, current?.study ?? null);
  const onScreen = (study: StudyRow) =>
    shownPanes({ layout }).some((which) => study.series.some((one) => one.id === panes[which].series));
  return (
    <nav className="rail" aria-label={t("Studies and series")}>
      {read.adjudication && <Lesions />}
      <section>
        <header className="row railhead">
          <h2>{t("Studies")}</h2>
          <span className="end faint small">{read.studies.length > 1 ? t("to scale") : ""}</span>
        </header>
        <div className="tline" style={{ height }}>
          {rows.length > 1 && <span className="rule" style={{ top: 10, height: height - ROW_PX }} />}
          {rows.map(({ study, top, gap }) => (
            <div key={study.id}>
              {gap !== null && (
                <span className="gapd" style={{ top: top - 19 }}>
                  {t("{n} d", { n: gap })}
                </span>
              )}
              {current && study !== current.study && study.series.length > 0 && (
                <button
                  type="button"
                  className="tool compare"
                  style={{ top: top + 2 }}
                  aria-label={t("Compare with {date}", { date: dateText(study.date) })}
                  title={
                    study === beside
                      ? `${t("Compare with {date}", { date: dateText(study.date) })} (${firstKey("panes.compare")})`
                      : t("Compare with {date}", { date: dateText(study.date) })
                  }
                  data-testid={`compare-${study.id}`}
                  onClick={() => void compareWith(study)}
                >
                  <Columns2 size={15} aria-hidden="true" />
                </button>
              )}
              <button
                type="button"
                className={study === current?.study ? "tp on" : onScreen(study) ? "tp shown" : "tp"}
                style={{ top }}
                disabled={!study.series.length}
                onClick={() => void openSeries(room.getState().active, study.series[0].id)}
              >
                <span className="dot" />
                <span>
                  <b>{dateText(study.date)}</b>
                  <br />
                  {study.description || t("Study")}
                </span>
              </button>
            </div>
          ))}
        </div>
        {beside && current && !onScreen(beside) && (
          <button
            type="button"
            className="btn s28 compareall"
            title={`${t("Beside this study, linked")} (${firstKey("panes.compare")})`}
            data-testid="compare"
            onClick={() => void compareWith(beside)}
          >
            <Columns2 size={14} aria-hidden="true" />
            {(beside.days_from_first ?? 0) < (current.study.days_from_first ?? 0)
              ? t("Compare with prior")
              : t("Compare with next")}
          </button>
        )}
      </section>
      {rows.map(({ study }) => (
        <section key={study.id}>
          <header className="row railhead">
            <h2>{t("Series")}</h2>
            <span className="end faint small">{dateText(study.date)}</span>
          </header>
          <div className="thumbs">
            {study.series.map((series) => {
              const letter = letterOf(series.id);
              const doubts = series.findings.length;
              const name = series.description || `${series.modality} ${series.number ?? ""}`;
              return (
                <button
                  key={series.id}
                  type="button"
                  className={letter ? "on" : ""}
                  draggable
                  title={[
                    t("{name}: click to open in the active image, or drag to one", { name }),
                    ...series.findings.map((finding) => finding.sentence),
                  ].join("\n")}
                  data-testid={`series-${series.id}`}
                  onDragStart={(event) => event.dataTransfer.setData("text/series", series.id)}
                  onClick={() => void openSeries(room.getState().active, series.id)}
                >
                  <img src={series.thumbnail} alt="" draggable={false} />
                  {letter && shownPanes({ layout }).length > 1 && <em>{letter}</em>}
                  {doubts > 0 && (
                    <i className="doubt">
                      <TriangleAlert size={12} aria-hidden="true" />
                      <span className="away">
                        {tn(
                          doubts,
                          "{n} thing to know about this series",
                          "{n} things to know about this series",
                        )}
                      </span>
                    </i>
                  )}
                  <span>
                    <span className="name">{name}</span>
                    <span className="faint">{tn(series.images, "{n} image", "{n} images")}</span>
                  </span>
                </button>
              );
            })}
            {!study.series.length && <p className="faint small">{t("No images in this study.")}</p>}
          </div>
        </section>
      ))}
    </nav>
  );
}
