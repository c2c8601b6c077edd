/** What lies over the room, one at a time: the native dialog keeps focus inside and closes by Esc. */
import { X } from "lucide-react";
import { type ReactNode, useEffect, useRef } from "react";
import { useStore } from "zustand";
import { closeDialog, type DialogName, dialog } from "../store/dialog";
import { t } from "../words";

interface Props {
  name: DialogName;
  title: string;
  className?: string;
  /** Without its own heading the title is only told to screen readers. */
  bare?: boolean;
  children: ReactNode;
}

/** Renders its children only while it is open. */
export function Dialog(props: Props) {
  const open = useStore(dialog, (state) => state.open === props.name);
  return open ? <Open {...props} /> : null;
}

function Open({ name, title, className = "", bare = false, children }: Props) {
  const element = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const shown = element.current;
    shown?.showModal();
    // The browser would take the first control: often the one that closes.
    shown?.querySelector<HTMLElement>("[data-first]")?.focus();
    return () => shown?.close();
  }, []);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Esc closes it by the browser's own hand
    <dialog
      ref={element}
      className={`sheet ${className}`}
      aria-label={title}
      data-testid={`dialog-${name}`}
      // Esc: the keys belong to the image again with the very next press.
      onCancel={closeDialog}
      onClose={closeDialog}
      onClick={(event) => {
        // A click beside it, on the backdrop, is a click on the dialog itself.
        if (event.target === event.currentTarget) closeDialog();
      }}
    >
      <div className="sheetin">
        {!bare && (
          <header className="row">
            <h2>{title}</h2>
            <button type="button" className="tool end" aria-label={t("Close")} onClick={closeDialog}>
              <X size={16} aria-hidden="true" />
            </button>
          </header>
        )}
        {children}
      </div>
    </dialog>
  );
}
