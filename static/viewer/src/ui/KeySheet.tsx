/** Every key on one sheet, as this reader has set them. */
import { useStore } from "zustand";
import { allCommands, commandKeys, GROUPS, type Group, keyText, ownKeys } from "../commands";
import { BUTTON_ACTS, MOUSE_PARTS, mouseNow } from "../mouse";
import { openDialog } from "../store/dialog";
import { t } from "../words";
import { Dialog } from "./Dialog";

export const GROUP_NAMES: Record<Group, string> = {
  Move: t("Move"),
  See: t("See"),
  Mark: t("Mark"),
  Mask: t("Masks"),
  Change: t("Change"),
  Room: t("Room"),
};

export const KeySheet = () => (
  <Dialog name="keys" title={t("Keys")} className="wide">
    <Sheet />
  </Dialog>
);

function Sheet() {
  useStore(ownKeys);
  const shown = allCommands().filter((command) => !command.hidden?.() && commandKeys(command.id).length);
  const mouse = mouseNow();
  return (
    <>
      <p className="row small sub">
        {t("Every command, also those without a key:")}
        <button type="button" className="linkish" onClick={() => openDialog("palette")}>
          {t("search them")} <kbd>{keyText(commandKeys("room.palette")[0] ?? "")}</kbd>
        </button>
        <button type="button" className="linkish" onClick={() => openDialog("preferences")}>
          {t("Change keys and mouse")}
        </button>
        <button type="button" className="linkish" onClick={() => openDialog("tour")}>
          {t("Show me around")}
        </button>
      </p>
      <div className="sheetgrid">
        {GROUPS.map((group) => {
          const rows = shown.filter((command) => command.group === group);
          return (
            rows.length > 0 && (
              <section key={group}>
                <h3>{GROUP_NAMES[group]}</h3>
                <dl>
                  {rows.map((command) => (
                    <div key={command.id}>
                      <dt>
                        {commandKeys(command.id).map((chord) => (
                          <kbd key={chord}>{keyText(chord)}</kbd>
                        ))}
                      </dt>
                      <dd>{command.title}</dd>
                    </div>
                  ))}
                </dl>
              </section>
            )
          );
        })}
        <section>
          <h3>{t("Mouse")}</h3>
          <dl>
            {MOUSE_PARTS.map(({ part, title, acts }) => (
              <div key={part}>
                <dt className="small">{title}</dt>
                <dd>{acts.find(([act]) => act === mouse[part])?.[1]}</dd>
              </div>
            ))}
            <div>
              <dt className="small">{t("Double click")}</dt>
              <dd>{t("One image large, and back")}</dd>
            </div>
          </dl>
        </section>
        <section>
          <h3>{t("Touch and pen")}</h3>
          <dl>
            {[
              [t("One finger, pen"), BUTTON_ACTS[0][1]],
              [t("Two fingers"), t("Pan and zoom")],
              [t("Three, or along the right edge"), t("Scroll")],
            ].map(([hand, what]) => (
              <div key={hand}>
                <dt className="small">{hand}</dt>
                <dd>{what}</dd>
              </div>
            ))}
          </dl>
        </section>
      </div>
    </>
  );
}
