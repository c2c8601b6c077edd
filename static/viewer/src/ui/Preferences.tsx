/** The reader's own keys, mouse and language. Everything is kept at once; there is no button to save. */
import { useState } from "react";
import { useStore } from "zustand";
import { kept, preferences } from "../preferences";
import { openDialog } from "../store/dialog";
import { currentLanguage, LANGUAGES, t } from "../words";
import { Dialog } from "./Dialog";
import { KeyEditor } from "./KeyEditor";
import { MouseEditor } from "./MouseEditor";

const PARTS = [
  ["keys", t("Keys")],
  ["mouse", t("Mouse")],
  ["general", t("Language and layout")],
] as const;
type Part = (typeof PARTS)[number][0];

export const Preferences = () => (
  <Dialog name="preferences" title={t("Your keys, mouse and language")} className="prefs">
    <Parts />
  </Dialog>
);

function Parts() {
  const [part, setPart] = useState<Part>("keys");
  return (
    <>
      <div className="seg prefsparts" role="group" aria-label={t("What to change")}>
        {PARTS.map(([name, title]) => (
          <button key={name} type="button" aria-pressed={part === name} onClick={() => setPart(name)}>
            {title}
          </button>
        ))}
      </div>
      {part === "keys" && <KeyEditor />}
      {part === "mouse" && <MouseEditor />}
      {part === "general" && <General />}
      <p className="small faint prefsfoot">{t("Kept with your account: the same at every desk.")}</p>
    </>
  );
}

function General() {
  useStore(kept);
  const [saying, setSaying] = useState<string | null>(null);
  const choose = async (language: string) => {
    preferences.set("language", language);
    setSaying(t("Changing the language"));
    if (await preferences.send()) location.reload();
    else setSaying(t("The server can't be reached. It is tried again."));
  };
  return (
    <div className="prefsgeneral">
      <label className="row">
        <span className="prefsname">{t("Language")}</span>
        <select
          className="pickbox"
          value={currentLanguage()}
          data-testid="language"
          onChange={(event) => void choose(event.target.value)}
        >
          {LANGUAGES.map(([code, name]) => (
            <option key={code} value={code} lang={code}>
              {name}
            </option>
          ))}
        </select>
        {saying && (
          <span className="small sub" role="status">
            {saying}
          </span>
        )}
      </label>
      <label className="row">
        <span className="prefsname">{t("Layout")}</span>
        <input
          type="checkbox"
          checked={preferences.get("keep-layout", true)}
          onChange={(event) => preferences.set("keep-layout", event.target.checked)}
        />
        <span>{t("Open cases in the layout that I used last, where the project hangs none")}</span>
      </label>
      <div className="row">
        <span className="prefsname">{t("First steps")}</span>
        <button type="button" className="btn s28" onClick={() => openDialog("tour")}>
          {t("Show me around")}
        </button>
      </div>
    </div>
  );
}
