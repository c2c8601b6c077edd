/** Hands a read in, for good: asked twice. */
import { useState } from "react";
import { t } from "../words";

/** `title` is what it says first; `reason` why it can't be done now. */
export function SubmitButton({
  title,
  reason,
  submit,
}: {
  title: string;
  reason: string | null;
  submit(): Promise<void>;
}) {
  const [sure, setSure] = useState(false);
  return (
    <>
      <button
        type="button"
        className="btn primary grow"
        aria-disabled={reason !== null}
        data-testid="submit"
        onClick={() => {
          if (reason) return;
          setSure(!sure);
          if (sure) void submit();
        }}
      >
        {sure ? t("Submit: it then can't be changed") : title}
      </button>
      {sure && (
        <button type="button" className="btn quiet" onClick={() => setSure(false)}>
          {t("Not yet")}
        </button>
      )}
    </>
  );
}
