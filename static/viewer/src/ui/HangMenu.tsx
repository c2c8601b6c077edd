/** By which protocol the case hangs: the project's, or another that the reader takes for this project. */
import { useStore } from "zustand";
import { choose, hungBy, nameOf, ownChoice } from "../hanging";
import { kept } from "../preferences";
import { t } from "../words";
import { useRoom } from "./use";

export function HangMenu({ done }: { done: () => void }) {
  const read = useRoom((state) => state.read);
  const now = useStore(hungBy, ({ id }) => id);
  useStore(kept, (values) => values.hanging);
  const choices = read?.hanging?.choices ?? [];
  if (!read || choices.length < 2) return null;
  const own = choices.some(({ id }) => id === ownChoice(read));
  const take = (id: string | null) => {
    choose(id);
    done();
  };
  return (
    <fieldset data-testid="hangings">
      <legend>{t("How the case hangs")}</legend>
      {choices.map(({ id, name }, i) => (
        <label key={id}>
          <input
            type="radio"
            name="hanging"
            checked={id === now}
            data-testid={`hang-${i}`}
            onChange={() => take(id)}
          />
          {nameOf({ id, name })}
        </label>
      ))}
      {own && (
        <button type="button" className="linkish" data-testid="hang-reset" onClick={() => take(null)}>
          {t("As the project hangs it")}
        </button>
      )}
    </fieldset>
  );
}
