/** What stands on an image of an adjudication: whose it is, their numbers, the button to take it; or the legend. */
import { useStore } from "zustand";
import { votersOf } from "../../adjudication/choices";
import { consider } from "../../adjudication/deciding";
import { seriesOf } from "../../adjudication/panes";
import { draftOf, judging, lesionOf } from "../../adjudication/store";
import { mayMark } from "../../store/room";
import { t } from "../../words";
import { useRoom } from "../use";
import { LineSample } from "./LineSample";
import { numberText, volumeOr } from "./words";

/** The letter of the reader whose image it is, "" where all are laid over each other, null where images stand as in any read. */
export function useHead(which: number): string | null {
  const { layout, roles, now } = useStore(judging);
  const isHere = useRoom((state) => state.layout === layout);
  if (!isHere || which >= roles.length) return null;
  const read = roles[which];
  return read === null ? "" : (now?.readers.find((one) => one.read === read)?.letter ?? null);
}

/** Of one reader's image. */
export function ReaderHead({ which, letter }: { which: number; letter: string }) {
  const state = useStore(judging);
  const lesion = lesionOf(state);
  const may = useRoom(mayMark);
  const overlays = useRoom((room) => room.overlays);
  const read = state.roles[which];
  const studies = useRoom((room) => room.read?.studies);
  if (!lesion || !read || !overlays) return null;
  const own = lesion.numbers.reads[read];
  const member = lesion.members.find((one) => one.read === read);
  const series = seriesOf(lesion, read);
  const row =
    series && series !== lesion.place?.series
      ? studies?.flatMap((study) => study.series).find((one) => one.id === series)
      : undefined;
  const option = lesion.options.find((one) => one.take === "read" && one.read === read);
  const { take } = draftOf(lesion, state);
  const isTaken = take?.take === "read" && take.read === read;
  return (
    <>
      <div className="o tl readerhead">
        <LineSample letter={letter} width={18} />
        <b>{letter}</b>
        {row && <span className="clip">{row.description || `${row.modality} ${row.number ?? ""}`}</span>}
      </div>
      <div className="o bl">
        {own ? (
          <>
            {own.estimated ? "≈ " : ""}
            {numberText(own.longest_mm, 1)} mm
            {own.volume_mm3 !== null && (
              <>
                <br />
                {volumeOr(own.volume_mm3)} mm³
              </>
            )}
          </>
        ) : member?.said === "absent" ? (
          t("says it is absent")
        ) : (
          t("has not marked it")
        )}
      </div>
      {option && (
        <button
          type="button"
          className="btn s28 takebutton"
          aria-pressed={isTaken}
          disabled={!may}
          data-testid={`pane-take-${letter}`}
          onClick={() => consider(option)}
        >
          {isTaken ? t("Taken: {letter}", { letter }) : t("Take {letter}", { letter })}
        </button>
      )}
    </>
  );
}

/** Of the large image: what the shades and the white line mean. */
export function Legend() {
  const state = useStore(judging);
  const overlays = useRoom((room) => room.overlays);
  const lesion = lesionOf(state);
  const of = lesion ? votersOf(lesion.options) : 0;
  if (!lesion || !overlays) return null;
  return (
    <div className="o tr legend">
      {of > 2 && (
        <span>
          <i className="key some" />
          {of === 3 ? t("2 of 3 readers") : t("2 to {n} of {of} readers", { n: of - 1, of })}
        </span>
      )}
      {of > 1 && (
        <span>
          <i className="key one" />
          {t("1 reader")}
        </span>
      )}
      <span>
        <i className="key result" />
        {t("result")}
      </span>
    </div>
  );
}
